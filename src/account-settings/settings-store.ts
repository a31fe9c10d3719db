import type { AccountId } from '../shared/ids.ts';

/** Since when an account has what it proves itself with, milliseconds; what it has not is left out. */
export interface FactorTimes {
  readonly password?: number;
  readonly totp?: number;
  readonly backupCodes?: number;
}

/** What keeps changes of one account apart. It stores nothing of its own. */
export interface SettingsStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Lets one transaction at a time change how this account proves itself. */
  lock(accountId: AccountId): Promise<void>;
  timesOf(accountId: AccountId): Promise<FactorTimes>;
}
