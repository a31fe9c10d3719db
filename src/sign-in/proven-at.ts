import { setTimeout as delay } from 'node:timers/promises';
import { epochSeconds } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { SignInParts } from './parts.ts';

/**
 * When the first door opened, in seconds since the epoch. Times in tokens are whole seconds, so what is proven in the very
 * second in which an account's access was ended could not be told from what was proven before: then it waits for the next.
 */
export async function provenAt({ revocations, clock }: SignInParts, accountId: AccountId): Promise<number> {
  const now = clock.now();
  const second = Math.floor(now / 1000) * 1000;
  if (revocations?.isRevokedCached([{ kind: 'account', id: accountId, issuedAt: second }])) {
    await delay(second + 1000 - now);
  }
  return epochSeconds(clock);
}
