import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import { createKey, type KeyParts } from './apply-transition.ts';
import { asOf } from './key.ts';
import type { StoredKey } from './key-store.ts';
import type { CheckedPolicy } from './policy.ts';
import { openKey } from './sealed-key.ts';

/**
 * Takes a key out of the JWKS at once. A signer is replaced in the same transaction: by its successor when one is
 * published (caches know it already), else by a new key. Every other key has to open first, so that a wrong secret makes none.
 */
export async function revokeKey(
  parts: KeyParts,
  policy: CheckedPolicy,
  kid: string,
  by: Actor,
  options: { readonly emergency: boolean },
): Promise<void> {
  const now = parts.clock.now();
  const keys = await parts.store.list();
  const key = keys.find((candidate) => candidate.kid === kid);
  if (!key) throw new AppError('not_found', 'There is no such key, or it is removed already.');
  const { state } = asOf(key, keys, now, policy);
  if (!options.emergency && (state === 'signing' || state === 'retiring')) {
    throw new AppError(
      'conflict',
      'Whatever this key signed stops verifying as soon as it is revoked. Rotate instead, or confirm the emergency.',
    );
  }
  for (const other of keys) if (other !== key) openKey(other, parts.secrets);

  const successor = keys.find((other) => other.alg === key.alg && other.state === 'published');
  const fresh = key.state === 'signing' && !successor ? await parts.generate(key.alg) : undefined;
  await parts.store.together(async () => {
    await demand(parts.store.move({ kid, from: key.state, to: 'removed', at: now }));
    const details = { alg: key.alg, state, emergency: options.emergency };
    await parts.audit.record({ type: 'key.revoked', actor: by, outcome: 'success', subject: kid, details });
    if (key.state !== 'signing') return;
    if (successor) await promote(parts, successor, by, now);
    else if (fresh) await demand(createKey({ ...parts, generate: async () => fresh }, key.alg, 'signing', by));
  });
}

async function promote(parts: KeyParts, successor: StoredKey, by: Actor, now: number): Promise<void> {
  await demand(parts.store.move({ kid: successor.kid, from: 'published', to: 'signing', at: now }));
  await parts.audit.record({ type: 'key.signing', actor: by, outcome: 'success', subject: successor.kid });
}

async function demand(won: Promise<boolean>): Promise<void> {
  if (await won) return;
  throw new AppError('conflict', 'The keys changed at the same moment. Look at them again and repeat.');
}
