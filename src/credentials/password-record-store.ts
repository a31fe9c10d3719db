import type { AccountId } from '../shared/ids.ts';

/** What is remembered about a password that was just set. */
export interface PasswordRecord {
  readonly hash: string;
  readonly setAt: number;
  /** How many hashes stay, this one included: 1 or more. */
  readonly keep: number;
  /** Whether it has to be changed at the next sign-in. */
  readonly mustChange: boolean;
  /** Whether it is too short to open the account without a second factor. */
  readonly shortAlone: boolean;
}

/** What is known of an account's password, beside its hash. */
export interface PasswordFacts {
  readonly changedAt: number;
  readonly mustChange: boolean;
  readonly shortAlone: boolean;
}

/** Where earlier hashes and the marks of a password are kept. */
export interface PasswordRecordStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Notes a password, in the transaction that has put it. Of many at once the last one put is the newest here too. */
  put(accountId: AccountId, record: PasswordRecord): Promise<void>;
  /** Replaces a hash by another one of the same password, so that no cheaper one stays behind. */
  replaceHash(accountId: AccountId, old: string, hash: string): Promise<void>;
  /** The present hash and as many earlier ones as `limit`, each once. */
  recentHashes(accountId: AccountId, limit: number): Promise<string[]>;
  /** Undefined for an account without a password. */
  find(accountId: AccountId): Promise<PasswordFacts | undefined>;
  /** Marks a password; false when the account has none. */
  requireChange(accountId: AccountId): Promise<boolean>;
}
