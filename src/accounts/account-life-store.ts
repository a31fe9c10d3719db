import type { AccountId } from '../shared/ids.ts';
import type { Account, AccountStatus } from './account.ts';
import type { EmailAddress } from './email-address.ts';

/** Where the life of an account is kept, beside what it is. Every change is one conditional statement. */
export interface AccountLifeStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  find(id: AccountId): Promise<Account | undefined>;
  /** Marks the address as verified, and makes the account active, if it has this address and one of the statuses. */
  verify(id: AccountId, emailKey: string, from: readonly AccountStatus[], at: number): Promise<Account | undefined>;
  /** Gives an active account another address, verified, if it still has the old one. */
  setEmail(id: AccountId, fromKey: string, to: EmailAddress, at: number): Promise<Account | 'taken' | undefined>;
  lock(id: AccountId, from: readonly AccountStatus[], at: number): Promise<Account | undefined>;
  /** Deletes softly; what it was is remembered for {@link AccountLifeStore.restore}. */
  markDeleted(id: AccountId, from: readonly AccountStatus[], at: number): Promise<Account | undefined>;
  restore(id: AccountId, at: number): Promise<Account | undefined>;
  /** Removes an account that waits for this address to be confirmed; false when there is none. */
  removeUnverified(id: AccountId, emailKey: string): Promise<boolean>;
  /** Removes up to `limit` accounts that were deleted before then, with all that refers to them, and says which. */
  removeDeleted(before: number, limit: number): Promise<AccountId[]>;
}
