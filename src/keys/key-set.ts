import { createHash } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { publicPart, type SigningJwk } from './generate-key.ts';
import { asOf, signsAt } from './key.ts';
import type { CheckedPolicy } from './policy.ts';
import type { OpenKey } from './sealed-key.ts';

/** The keys that a node works with at one moment. */
export interface KeySet {
  /** Private JWKs: the signer of each algorithm first, then the published ones, then the retiring ones. */
  readonly signing: SigningJwk[];
  /** The same keys in the same order, as they are published (RFC 7517 §5). */
  readonly public: JSONWebKeySet & { keys: JWK[] };
  /** Changes if and only if the keys or their order do. */
  readonly version: string;
}

const ranks = { signing: 0, published: 1, retiring: 2 };

/**
 * Computes the set from the rows and the time alone, so that nodes with the same rows agree to the millisecond.
 * `until` is the next moment at which time changes it.
 */
export function keySetAt(
  keys: readonly OpenKey[],
  now: number,
  policy: CheckedPolicy,
): { readonly set: KeySet; readonly until: number } {
  const place = (alg: string): number => {
    const index = (policy.algorithms as readonly string[]).indexOf(alg);
    return index === -1 ? policy.algorithms.length : index;
  };
  const ordered = keys
    .flatMap((key) => {
      const { state } = asOf(key, keys, now, policy);
      return state === 'pending' || state === 'removed' ? [] : [{ key, rank: ranks[state] }];
    })
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        place(a.key.alg) - place(b.key.alg) ||
        (b.key.publishedAt ?? 0) - (a.key.publishedAt ?? 0) ||
        (a.key.kid < b.key.kid ? -1 : 1),
    )
    .map(({ key }) => key.jwk);

  const flips = keys.map((key) => signsAt(key, policy) ?? Number.POSITIVE_INFINITY).filter((moment) => moment > now);
  const names = ordered.map(({ kid }) => kid).join(' ');
  const version = createHash('sha256').update(names).digest('base64url').slice(0, 16);
  return {
    set: { signing: ordered, public: { keys: ordered.map(publicPart) }, version },
    until: Math.min(Number.POSITIVE_INFINITY, ...flips),
  };
}
