import type { AccountId } from '../shared/ids.ts';
import type { ApiKey, KeyOwner } from './api-key.ts';

/** A key at rest: SHA-256 of its texts, and never a text. */
export interface StoredKey {
  readonly key: ApiKey;
  readonly hash: string;
  readonly previousHash?: string;
  /** Whether it was ever used. */
  readonly used: boolean;
}

/** A moment to end, and the hash that it was made from: whoever comes second changes nothing. */
export interface Rotation {
  readonly id: string;
  /** The present one, which becomes the previous one. */
  readonly from: string;
  readonly to: string;
  readonly now: number;
  /** Only if it was not rotated after that moment. */
  readonly notSince: number;
  readonly previousUntil: number;
  readonly expiresAt: number | undefined;
}

/** Secrets that were made until a moment, for one API or for all. */
export interface IssuedBefore {
  readonly issuedBefore: number;
  readonly audience?: string | undefined;
}

/** Where a key stands in the list. */
export interface KeyPlace {
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
}

export interface KeyFilter {
  readonly owner?: KeyOwner | undefined;
  readonly limit: number;
  /** The last one of the page before, which need not be there any more. */
  readonly after?: KeyPlace | undefined;
}

/** Where keys are kept. */
export interface ApiKeyStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Stores it unless its owner is gone or has `most` keys that can be used. */
  insert(key: ApiKey, hash: string, most: number): Promise<'stored' | 'too-many' | 'no-owner'>;
  find(id: string): Promise<StoredKey | undefined>;
  /** Newest first, also those that are over. */
  list(filter: KeyFilter): Promise<ApiKey[]>;
  /** In one conditional statement. False when the key is over, or `from` is not its hash any more. */
  rotate(rotation: Rotation): Promise<boolean>;
  /**
   * Ends one, every one of an account, or all with a secret from before a moment; gives those that this ended. A key that
   * was rotated since goes on, without the secret before.
   */
  revoke(
    which: { readonly id: string } | { readonly accountId: AccountId } | IssuedBefore,
    now: number,
  ): Promise<ApiKey[]>;
  /** Notes uses, the later of each wins. Gives the ids of those that were never used before. */
  noteUses(uses: ReadonlyMap<string, number>): Promise<string[]>;
  /** Deletes up to `limit` that were over before that moment. */
  purge(before: number, limit: number): Promise<number>;
}
