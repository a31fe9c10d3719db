import type { AccountId } from '../shared/ids.ts';

/** How often the proof beside a recovery link was tried. */
export interface RecoveryTryStore {
  /** Takes one of `most` tries; of many at once no more than that get one. Resolves to the tries left, or undefined. */
  take(
    link: { readonly id: string; readonly accountId: AccountId; readonly expiresAt: number },
    most: number,
  ): Promise<number | undefined>;
  /** Puts a try back that was not looked at. */
  giveBack(linkId: string): Promise<void>;
  /** Deletes up to `limit` that are over, and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
