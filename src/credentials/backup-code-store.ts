import type { AccountId } from '../shared/ids.ts';
import type { HashCost } from './password.ts';

/** How the codes of one set are hashed. */
export interface BackupCodeHashing {
  /** 16 bytes, base64url. */
  readonly salt: string;
  readonly cost: HashCost;
}

/** Where backup codes are kept, hashed. */
export interface BackupCodeStore {
  find(accountId: AccountId): Promise<BackupCodeHashing | undefined>;
  /** Replaces the whole set. */
  put(accountId: AccountId, hashing: BackupCodeHashing, hashes: readonly string[], at: number): Promise<void>;
  /** Whether this hash is one of an unused code of the account. */
  has(accountId: AccountId, hash: string): Promise<boolean>;
  /** Takes the code out of the set: how many are left, undefined when it was not there. Of many callers one wins. */
  spend(accountId: AccountId, hash: string): Promise<number | undefined>;
  remove(accountId: AccountId): Promise<void>;
}
