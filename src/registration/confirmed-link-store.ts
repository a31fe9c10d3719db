import type { AccountId } from '../shared/ids.ts';

/** Which links have done their work, so that a second click can say so instead of "expired". */
export interface ConfirmedLinkStore {
  add(link: {
    readonly tokenHash: string;
    readonly accountId: AccountId;
    readonly emailKey: string;
    /** Milliseconds; after that it is forgotten. */
    readonly expiresAt: number;
  }): Promise<void>;
  find(
    tokenHash: string,
    now: number,
  ): Promise<{ readonly accountId: AccountId; readonly emailKey: string } | undefined>;
  /** Deletes up to `limit` that are over, and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
