import type { Algorithm, CheckedPolicy } from './policy.ts';

/**
 * The life of a key. `pending`: stored, not shown. `published`: in the JWKS, not signing yet. `signing`: the one signer
 * of its algorithm. `retiring`: in the JWKS for what it signed. `removed`: its private part is gone.
 */
export type KeyState = 'pending' | 'published' | 'signing' | 'retiring' | 'removed';

/** A key's history; moments in milliseconds since the epoch. */
export interface KeyRecord {
  /** JWK thumbprint of the public key (RFC 7638). */
  readonly kid: string;
  readonly alg: string;
  readonly state: KeyState;
  readonly createdAt: number;
  readonly publishedAt?: number;
  readonly signingAt?: number;
  readonly retiringAt?: number;
  readonly removedAt?: number;
}

export type Transition =
  | { readonly kind: 'create'; readonly alg: string; readonly state: 'pending' | 'signing' }
  | { readonly kind: 'publish' | 'retire' | 'remove'; readonly kid: string; readonly at: number }
  /** `replaces` retires in the same breath. */
  | { readonly kind: 'sign'; readonly kid: string; readonly at: number; readonly replaces?: string };

/** When a published key begins to sign; `undefined` for one that nobody has seen. */
export const signsAt = (key: KeyRecord, policy: CheckedPolicy): number | undefined =>
  key.state === 'published' && key.publishedAt !== undefined
    ? key.publishedAt + policy.publishSeconds * 1000
    : undefined;

/** When the successor of a signing key is published: one publish time before it takes over. */
export const successorDueAt = (signer: KeyRecord, policy: CheckedPolicy): number =>
  (signer.signingAt ?? signer.createdAt) + Math.max(policy.rotationSeconds - policy.publishSeconds, 0) * 1000;

/** When a retiring key leaves the JWKS. */
export const removesAt = (key: KeyRecord, policy: CheckedPolicy): number =>
  (key.retiringAt ?? key.createdAt) + policy.retireSeconds * 1000;

/**
 * A key as it stands at `now` whether or not anybody wrote it down: a published key signs from its moment on, and the
 * signer before it retires. Every node that has the same rows says the same.
 */
export function asOf(key: KeyRecord, keys: readonly KeyRecord[], now: number, policy: CheckedPolicy): KeyRecord {
  const moment = signsAt(key, policy);
  if (moment !== undefined && moment <= now) return { ...key, state: 'signing', signingAt: moment };
  if (key.state !== 'signing') return key;
  const handovers = keys.filter(({ alg }) => alg === key.alg).map((other) => signsAt(other, policy));
  const handover = handovers.find((at) => at !== undefined && at <= now);
  return handover === undefined ? key : { ...key, state: 'retiring', retiringAt: handover };
}

/** What has to be written down at `now`. The leader applies it and asks again until nothing is left. */
export function nextTransitions(keys: readonly KeyRecord[], now: number, policy: CheckedPolicy): Transition[] {
  const names = new Set([...policy.algorithms, ...keys.map((key) => key.alg)]);
  return [...names].flatMap((alg) => {
    const own = keys.filter((key) => key.alg === alg);
    const leaving = own
      .filter((key) => key.state === 'retiring' && removesAt(key, policy) <= now)
      .map(({ kid }): Transition => ({ kind: 'remove', kid, at: now }));
    return [...arriving(alg, own, now, policy), ...leaving];
  });
}

function arriving(alg: string, keys: readonly KeyRecord[], now: number, policy: CheckedPolicy): Transition[] {
  const signer = keys.find(({ state }) => state === 'signing');
  const next = keys.find(({ state }) => state === 'pending' || state === 'published');
  const wanted = policy.algorithms.includes(alg as Algorithm);

  if (next?.state === 'pending') return [{ kind: 'publish', kid: next.kid, at: now }];
  if (next) {
    const moment = signsAt(next, policy) ?? now;
    if (signer && moment > now) return [];
    const replaces = signer ? { replaces: signer.kid } : {};
    return [{ kind: 'sign', kid: next.kid, at: Math.min(moment, now), ...replaces }];
  }
  if (!signer) return wanted ? [{ kind: 'create', alg, state: 'signing' }] : [];
  if (wanted) return successorDueAt(signer, policy) <= now ? [{ kind: 'create', alg, state: 'pending' }] : [];
  const over = (signer.signingAt ?? signer.createdAt) + policy.rotationSeconds * 1000;
  return over <= now ? [{ kind: 'retire', kid: signer.kid, at: now }] : [];
}
