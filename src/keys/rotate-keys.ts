import type { Actor } from '../audit/index.ts';
import { applyTransition, createKey, type KeyParts } from './apply-transition.ts';
import { nextTransitions, type Transition } from './key.ts';
import type { CheckedPolicy } from './policy.ts';
import { type OpenKey, openKey } from './sealed-key.ts';

const server: Actor = { kind: 'system' };

/** Reads and opens every key. Whatever is about to make a key calls this first: a wrong secret ends it here. */
export async function readKeys(parts: KeyParts): Promise<OpenKey[]> {
  return (await parts.store.list()).map((key) => openKey(key, parts.secrets));
}

/** First start: gives each algorithm without any key a signer at once, since no verifier has cached anything yet. */
export async function createFirstKeys(parts: KeyParts, policy: CheckedPolicy): Promise<void> {
  const keys = await readKeys(parts);
  const steps = nextTransitions(keys, parts.clock.now(), policy);
  const signers = steps.filter((step) => step.kind === 'create' && step.state === 'signing');
  await Promise.all(signers.map((step) => applyTransition(parts, step, server)));
}

/** One look at the keys uncovers at most one step each; a fourth look would mean that two steps undo each other. */
const maxRounds = 4;

/** Brings every key to where the policy wants it now and says what it did. Safe on any number of nodes at once. */
export async function advanceKeys(parts: KeyParts, policy: CheckedPolicy): Promise<Transition[]> {
  const done: Transition[] = [];
  for (let round = 0; round < maxRounds; round += 1) {
    const steps = nextTransitions(await readKeys(parts), parts.clock.now(), policy);
    if (steps.length === 0) return done;
    for (const step of steps) if (await applyTransition(parts, step, server)) done.push(step);
  }
  return done;
}

/**
 * Begins a staged rotation: publishes a successor, which signs after `publishSeconds`. An algorithm whose successor is
 * on its way keeps that one, so that any number of calls at once make one key.
 */
export async function rotateKeys(
  parts: KeyParts,
  policy: CheckedPolicy,
  algs: readonly string[],
  by: Actor,
): Promise<void> {
  await advanceKeys(parts, policy);
  const keys = await readKeys(parts);
  for (const alg of algs) {
    const underWay = keys.some((key) => key.alg === alg && (key.state === 'pending' || key.state === 'published'));
    if (!underWay) await createKey(parts, alg, 'pending', by);
  }
  // Read back and opened before anybody sees it: what cannot be opened must not be published.
  for (const key of await readKeys(parts)) {
    if (key.state !== 'pending' || !algs.includes(key.alg)) continue;
    await applyTransition(parts, { kind: 'publish', kid: key.kid, at: parts.clock.now() }, by);
  }
}
