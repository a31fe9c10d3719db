import type { AccountId } from '../shared/ids.ts';
import type { Account, AccountStatus } from './account.ts';

/** An account with the keys that keep its names unique. */
export interface StoredAccount extends Account {
  readonly emailKey: string;
  readonly usernameKey?: string;
}

export type TakenField = 'email' | 'username';

/** Where accounts are kept. */
export interface AccountStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  find(id: AccountId): Promise<Account | undefined>;
  /** Exact look-up by one of the unique keys. */
  findByKey(field: TakenField, key: string): Promise<Account | undefined>;
  /** Newest first; `search` matches the start of the email, username or name, in any case, or the whole id. */
  list(filter: { readonly limit: number; readonly after?: AccountId; readonly search?: string }): Promise<Account[]>;
  /** Accounts that are not deleted. Stops counting at `atMost`. */
  count(atMost: number): Promise<number>;
  /** Adds the account, or says which of its names another one has. */
  insert(account: StoredAccount): Promise<TakenField | undefined>;
  /**
   * Replaces the row if it still has version `account.version - 1`; `stale` when it has not. A name that another
   * account has is answered like in {@link AccountStore.insert}.
   */
  replace(account: StoredAccount): Promise<TakenField | 'stale' | undefined>;
  /**
   * Sets the status if it is one of `from`, and resolves to the account after it, or undefined when it was not.
   * `before` ends a suspension: an account that was unverified is so again, any other is active.
   */
  setStatus(
    id: AccountId,
    from: readonly AccountStatus[],
    to: 'suspended' | 'before',
    updatedAt: number,
  ): Promise<Account | undefined>;
}
