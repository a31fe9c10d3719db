import type { AccountId } from '../../shared/ids.ts';
import { type RateCounter, rateLimited } from '../http/rate-limit.ts';

/**
 * Bounds what somebody who is signed in does to their own account, by pages and API together and in all their sessions.
 * Each throws AppError `rate_limited`.
 */
export interface AccountLimits {
  /** One change, whatever comes of it. */
  change(accountId: AccountId): Promise<void>;
  /** One username that is asked for: the answer tells whether somebody else has it, so nobody may ask for many. */
  username(accountId: AccountId): Promise<void>;
}

const takeOne =
  (name: string, counter: RateCounter) =>
  async (accountId: AccountId): Promise<void> => {
    const seconds = await counter.take(accountId);
    if (seconds > 0) throw rateLimited(name, seconds);
  };

/** Counts before the work, so that of many requests at once none slips through. */
export const createAccountLimits = (counters: {
  readonly changes: RateCounter;
  readonly usernames: RateCounter;
}): AccountLimits => ({
  change: takeOne('account-changes', counters.changes),
  username: takeOne('usernames', counters.usernames),
});
