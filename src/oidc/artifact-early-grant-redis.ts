import type { RedisConnection } from '../storage/redis.ts';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';
import { keyOf } from './artifact-keys-redis.ts';

interface EarlyGrant {
  readonly key: string;
  readonly value: Promise<string | null>;
}

const note = 'artifact.early-grant';

/**
 * Asks for the grant of a code or refresh token that is being redeemed, so that it travels together with the session,
 * which oidc-provider asks for first. One that ends in between is noticed when the redemption is committed.
 */
export function askForGrantEarly(redis: RedisConnection, grantId: string): void {
  const unit = currentUnitOfWork();
  if (!unit) return;
  const key = keyOf('Grant', grantId);
  const value = redis.run((client) => client.get(key));
  // Nobody may come for it; whoever does hears of the failure.
  value.catch(() => undefined);
  unit.notes.set(note, { key, value } satisfies EarlyGrant);
}

/** The answer that is on its way to the current request, once. */
export function takeEarlyGrant(key: string): Promise<string | null> | undefined {
  const notes = currentUnitOfWork()?.notes;
  const early = notes?.get(note) as EarlyGrant | undefined;
  if (early?.key !== key) return undefined;
  notes?.delete(note);
  return early.value;
}
