import type { AccountId } from '../shared/ids.ts';
import type { RememberedDevice } from './device.ts';

/** A remembered device as it is stored: without the end of its life, which the configuration decides. */
export type RememberedRow = Omit<RememberedDevice, 'expiresAt'>;

/** What is stored of its tokens. */
export interface RememberedTokens {
  readonly familyHash: string;
  readonly tokenHash: string;
}

/** Which browser shows which token. */
export interface ShownToken extends RememberedTokens {
  readonly accountId: AccountId;
  readonly deviceHash: string;
  /** Devices that were remembered before this moment are too old. */
  readonly since: number;
}

/** Where remembered devices are kept. */
export interface RememberedStore {
  /** Remembers a browser in the place of what was remembered of it, and forgets the account's oldest beyond `keep`. */
  add(row: RememberedRow & RememberedTokens, keep: number): Promise<void>;
  /** Puts `nextHash` in the place of the token that is shown, if it is the present one of that browser. */
  rotate(shown: ShownToken, change: { nextHash: string; ip: string | undefined; now: number }): Promise<boolean>;
  /** Whether the token is the present one, or was until `graceSince`. */
  matches(shown: ShownToken, graceSince: number): Promise<boolean>;
  /** Deletes the family when it is one of this account's; the browser does not matter. */
  forgetFamily(accountId: AccountId, familyHash: string): Promise<RememberedRow | undefined>;
  /** Most recently used first. */
  list(accountId: AccountId, since: number): Promise<RememberedRow[]>;
  /** Deletes one of them, or all without an id, and returns what it deleted. */
  forget(accountId: AccountId, id?: string): Promise<RememberedRow[]>;
  /** Deletes up to `limit` that were remembered before then, and says how many. */
  purge(before: number, limit: number): Promise<number>;
}
