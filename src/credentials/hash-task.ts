import type { HashCost } from './password.ts';

/** What a hashing thread is asked to do, one at a time. */
export type HashTask =
  | { readonly kind: 'derive'; readonly texts: readonly string[]; readonly salt: Uint8Array; readonly cost: HashCost }
  | {
      readonly kind: 'verify';
      readonly phc: string;
      /** What may have been hashed, each a different text: the normalised password, and the one that was typed. */
      readonly texts: readonly string[];
      readonly cost: HashCost;
    };

/** `derive` is answered with one hash per text; `verify` with `malformed` when the hash cannot be read. */
export type HashAnswer =
  | { readonly kind: 'derived'; readonly hashes: readonly Uint8Array[] }
  | { readonly kind: 'verified'; readonly result: 'match' | 'mismatch' | 'malformed' };

/** Which argon2 does the work; `portable` is the fallback where the fast one has no binary. */
export type HashEngine = 'fast' | 'portable';

/** What a thread is started with. */
export interface ThreadSettings {
  /** Default: `fast` if it loads, else `portable`. */
  readonly engine?: HashEngine;
}
