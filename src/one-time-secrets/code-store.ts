import type { AccountId } from '../shared/ids.ts';

/** What a code is for, the one sign-in or action that it belongs to, and whose it is. */
export interface CodeKey {
  readonly purpose: string;
  readonly binding: string;
  readonly accountId: AccountId;
}

export interface NewCode extends CodeKey {
  readonly codeMac: string;
  /** Milliseconds since the epoch, as all times. */
  readonly now: number;
  readonly expiresAt: number;
}

/** At most `max` codes in any `windowSeconds`. */
export interface CodeQuota {
  readonly max: number;
  readonly windowSeconds: number;
}

/** Where codes are kept. */
export interface CodeStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Counts a code of this purpose and account; undefined when it may be made, else when the next one may. */
  reserve(key: Pick<CodeKey, 'purpose' | 'accountId'>, quota: CodeQuota, now: number): Promise<number | undefined>;
  /** Puts a code in the place of the one before, with all its tries. */
  put(code: NewCode): Promise<void>;
  /** Counts a try and gives what to compare with; of many at once `limit` get it. */
  takeTry(key: CodeKey, limit: number, now: number): Promise<{ readonly codeMac: string } | 'spent' | 'none'>;
  /** Takes the code away; of many callers at once exactly one hears true. */
  take(key: CodeKey, codeMac: string): Promise<boolean>;
  /** Deletes the codes of an account, and says how many. What was counted stays until it is old. */
  removeOf(accountId: AccountId): Promise<number>;
  /** Deletes up to `limit` codes and as many counts that are over, and says how many. */
  purge(now: number, countedBefore: number, limit: number): Promise<number>;
}
