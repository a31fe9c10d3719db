import type { KeyRecord, KeyState } from './key.ts';

export interface StoredKey extends KeyRecord {
  /** The private JWK, sealed; gone once the key is removed. */
  readonly sealed?: string;
}

export interface KeyMove {
  readonly kid: string;
  readonly from: KeyState;
  readonly to: KeyState;
  readonly at: number;
}

/** Where keys live. Every write is one conditional statement and says whether it won. */
export interface KeyStore {
  /** Oldest first; those that are removed only when asked for. */
  list(options?: { readonly removed: boolean }): Promise<StoredKey[]>;
  /** False when the algorithm has a signer, or a successor, already: there is one place for each. */
  insert(key: StoredKey): Promise<boolean>;
  /** False when the key is not in state `from` any more. To `removed` also deletes the private part. */
  move(move: KeyMove): Promise<boolean>;
  /** Replaces a sealed value by the same one under another secret; false when it is not `from` any more. */
  reseal(kid: string, from: string, to: string): Promise<boolean>;
  /** All of `work` or nothing of it. */
  together<T>(work: () => Promise<T>): Promise<T>;
}
