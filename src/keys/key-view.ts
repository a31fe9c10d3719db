import { asOf, type KeyRecord, type KeyState, removesAt, signsAt, successorDueAt } from './key.ts';
import type { CheckedPolicy } from './policy.ts';

/** A key as people see it: no private part. */
export interface KeyView {
  readonly kid: string;
  readonly alg: string;
  /** The state right now, whether or not the leader has written it down. */
  readonly state: KeyState;
  /** When each state began, milliseconds since the epoch. */
  readonly since: Partial<Record<KeyState, number>>;
  /** What happens next by itself; absent for removed keys. */
  readonly nextStep?: { readonly state: KeyState; readonly at: number };
}

/** Describes a key among the others. */
export function viewOf(stored: KeyRecord, keys: readonly KeyRecord[], now: number, policy: CheckedPolicy): KeyView {
  const key = asOf(stored, keys, now, policy);
  const begun = {
    pending: key.createdAt,
    published: key.publishedAt,
    signing: key.signingAt,
    retiring: key.retiringAt,
    removed: key.removedAt,
  };
  const since = Object.fromEntries(Object.entries(begun).filter(([, moment]) => moment !== undefined));
  const nextStep = nextStepOf(key, keys, now, policy);
  return { kid: key.kid, alg: key.alg, state: key.state, since, ...(nextStep && { nextStep }) };
}

function nextStepOf(
  key: KeyRecord,
  keys: readonly KeyRecord[],
  now: number,
  policy: CheckedPolicy,
): KeyView['nextStep'] {
  switch (key.state) {
    case 'pending':
      return { state: 'published', at: now };
    case 'published':
      return { state: 'signing', at: signsAt(key, policy) ?? now };
    case 'signing': {
      const successor = keys.find(({ kid, alg, state }) => alg === key.alg && state === 'published' && kid !== key.kid);
      const planned = Math.max(successorDueAt(key, policy), now) + policy.publishSeconds * 1000;
      return { state: 'retiring', at: (successor && signsAt(successor, policy)) ?? planned };
    }
    case 'retiring':
      return { state: 'removed', at: removesAt(key, policy) };
    case 'removed':
      return undefined;
  }
}
