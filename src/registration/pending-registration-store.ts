import type { AccountId } from '../shared/ids.ts';

/** Which accounts wait for their address since when, and which browser made them. Imported accounts are not among them. */
export interface PendingRegistrationStore {
  add(pending: {
    readonly accountId: AccountId;
    /** SHA-256 of the secret that the browser keeps. */
    readonly browserHash: string | undefined;
    /** Milliseconds since the epoch. */
    readonly registeredAt: number;
  }): Promise<void>;
  find(accountId: AccountId): Promise<{ readonly browserHash: string | undefined } | undefined>;
  remove(accountId: AccountId): Promise<void>;
  /** Takes up to `limit` that are older than this, with their accounts' ids; of two callers at once each gets others. */
  takeOlder(before: number, limit: number): Promise<AccountId[]>;
}
