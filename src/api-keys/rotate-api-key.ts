import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import { type ApiKey, isUsable, type KeyOwner, lifeOf } from './api-key.ts';
import { hashOfKey, newKeyText } from './key-text.ts';
import { eventOf, type KeyContext, type KeyParts } from './parts.ts';

/** Milliseconds between two rotations: whoever sends one twice must not hold a text that the second made void. */
const betweenRotations = 10_000;

/** Longest time that an old secret may go on: 30 days. */
const mostOverlapSeconds = 30 * 86_400;

export interface RotateOptions {
  /** How long the old secret works as well. 0 ends it at once. */
  readonly overlapSeconds: number;
  /** Only a key of theirs. */
  readonly owner?: KeyOwner | undefined;
  readonly context?: KeyContext | undefined;
}

/** The key, when there is one and it is theirs. A stranger's does not exist. */
export async function getOwn({ store }: KeyParts, id: string, owner: KeyOwner | undefined) {
  const found = await store.find(id);
  const isTheirs = !owner || (found?.key.owner.kind === owner.kind && found.key.owner.id === owner.id);
  if (!found || !isTheirs) throw new AppError('not_found', 'There is no such API key.');
  return found;
}

/**
 * Gives a key another secret, which lives as long as the one before did. Of many at the same moment exactly one succeeds,
 * and the next may come ten seconds later.
 * @throws AppError `not_found`, `forbidden`, `invalid_input`, or `conflict` when it is over or was rotated meanwhile.
 */
export async function rotateApiKey(
  parts: KeyParts,
  id: string,
  by: Actor,
  { overlapSeconds, owner, context }: RotateOptions,
): Promise<{ readonly key: ApiKey; readonly text: string }> {
  const { store, clock, audit, mode } = parts;
  if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > mostOverlapSeconds) {
    const message = `Give whole seconds from 0 to ${mostOverlapSeconds}.`;
    throw new AppError('invalid_input', message, { fields: { overlapSeconds: message } });
  }
  const { key, hash } = await getOwn(parts, id, owner);
  if (by.kind !== 'operator' && mode !== 'everyone') {
    throw new AppError('forbidden', 'API keys are made by the administrators here.');
  }
  const now = clock.now();
  if (!isUsable(key, now)) throw new AppError('conflict', 'This API key is over. Make another one.');
  const life = lifeOf(key);
  const expiresAt = life === undefined ? undefined : now + life;
  const previousUntil = Math.min(now + overlapSeconds * 1000, key.expiresAt ?? Number.MAX_SAFE_INTEGER);
  const text = newKeyText(id);
  const next: ApiKey = { ...key, issuedAt: now, previousUntil, ...(expiresAt !== undefined && { expiresAt }) };
  const notSince = now - betweenRotations;
  const rotation = { id, from: hash, to: hashOfKey(text), now, notSince, previousUntil, expiresAt };
  await store.transaction(async () => {
    if (!(await store.rotate(rotation))) {
      throw new AppError('conflict', 'The API key was just rotated or revoked. Nothing was changed.');
    }
    await audit.record(eventOf('api_key.rotated', next, by, { context, details: { overlapSeconds } }));
  });
  return { key: next, text };
}
