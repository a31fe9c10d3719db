import type { AccountId } from '../shared/ids.ts';
import type { BackupCodeStore } from './backup-code-store.ts';
import type { SealedTotps, TotpStore } from './totp-store.ts';

/** What an account can prove itself with. */
export interface Factors {
  readonly password: boolean;
  /** An authenticator app is enrolled. */
  readonly totp: boolean;
  /** How many backup codes are left. */
  readonly backupCodes: number;
}

/** Where password hashes are kept. */
export interface PasswordStore {
  /** The PHC string. */
  find(accountId: AccountId): Promise<string | undefined>;
  put(accountId: AccountId, hash: string, changedAt: number): Promise<void>;
  /** Replaces the hash if it still is `old`, so that a rehash never undoes a change of password. */
  replace(accountId: AccountId, old: string, hash: string): Promise<boolean>;
}

/** Where everything is kept that an account proves itself with. */
export interface CredentialStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  factorsOf(accountId: AccountId): Promise<Factors>;
  /** The password's PHC string and the factors. Without an account it looks in vain, so that both cases cost one query. */
  lookUp(accountId: AccountId | undefined): Promise<{ readonly hash: string | undefined; readonly factors: Factors }>;
  readonly passwords: PasswordStore;
  readonly totp: TotpStore;
  readonly sealedTotps: SealedTotps;
  readonly backupCodes: BackupCodeStore;
}
