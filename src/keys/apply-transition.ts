import type { Actor, AuditLog, AuditType } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { SigningJwk } from './generate-key.ts';
import type { Transition } from './key.ts';
import type { KeyMove, KeyStore } from './key-store.ts';
import { sealKey } from './sealed-key.ts';

/** What every change of a key needs. */
export interface KeyParts {
  readonly store: KeyStore;
  readonly secrets: SecretRing;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly generate: (alg: string) => Promise<SigningJwk>;
}

/** Another node was faster; whoever catches it looks at the keys again. */
class Overtaken extends Error {}

/** Writes one transition down, with its audit rows, whole or not at all. False when another node was faster. */
export async function applyTransition(parts: KeyParts, transition: Transition, by: Actor): Promise<boolean> {
  if (transition.kind === 'create') return createKey(parts, transition.alg, transition.state, by);
  const now = parts.clock.now();
  try {
    await parts.store.together(async () => {
      for (const { event, ...move } of movesOf(transition, now)) {
        if (!(await parts.store.move(move))) throw new Overtaken();
        await record(parts, event, move.kid, by);
      }
    });
    return true;
  } catch (error) {
    if (error instanceof Overtaken) return false;
    throw error;
  }
}

/** Makes a key and stores it, unless its place is taken. Generating takes up to a second and holds no transaction. */
export async function createKey(
  parts: KeyParts,
  alg: string,
  state: 'pending' | 'signing',
  by: Actor,
): Promise<boolean> {
  const jwk = await parts.generate(alg);
  const now = parts.clock.now();
  const key = { kid: jwk.kid, alg, state, createdAt: now, sealed: sealKey(jwk, parts.secrets) };
  return parts.store.together(async () => {
    const inserted = await parts.store.insert(state === 'signing' ? { ...key, publishedAt: now, signingAt: now } : key);
    if (inserted && state === 'signing') {
      await record(parts, 'key.published', jwk.kid, by);
      await record(parts, 'key.signing', jwk.kid, by);
    }
    return inserted;
  });
}

const record = (parts: KeyParts, type: AuditType, kid: string, actor: Actor): Promise<void> =>
  parts.audit.record({ type, actor, outcome: 'success', subject: kid });

function movesOf(transition: Exclude<Transition, { kind: 'create' }>, now: number): (KeyMove & { event: AuditType })[] {
  const { kid, at } = transition;
  switch (transition.kind) {
    case 'publish':
      return [{ kid, from: 'pending', to: 'published', at, event: 'key.published' }];
    case 'retire':
      return [{ kid, from: 'signing', to: 'retiring', at, event: 'key.retiring' }];
    case 'remove':
      return [{ kid, from: 'retiring', to: 'removed', at, event: 'key.removed' }];
    case 'sign': {
      // Retiring counts from now, not from the planned moment: a node may have signed with it until this second.
      const { replaces } = transition;
      const before: (KeyMove & { event: AuditType })[] =
        replaces === undefined
          ? []
          : [{ kid: replaces, from: 'signing', to: 'retiring', at: now, event: 'key.retiring' }];
      return [...before, { kid, from: 'published', to: 'signing', at, event: 'key.signing' }];
    }
  }
}
