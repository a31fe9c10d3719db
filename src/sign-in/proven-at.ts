import { epochSeconds, waitUntil } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { SignInParts } from './parts.ts';

/**
 * When the first door opened, in seconds since the epoch. Times in tokens are whole seconds, so what is proven in the very
 * second in which an account's access was ended could not be told from what was proven before: then it waits for the next.
 */
export async function provenAt({ revocations, clock }: SignInParts, accountId: AccountId): Promise<number> {
  const second = epochSeconds(clock) * 1000;
  if (revocations.isRevokedCached([{ kind: 'account', id: accountId, issuedAt: second }])) {
    await waitUntil(clock, second + 1000);
  }
  return epochSeconds(clock);
}
