import type { Actor, AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { KeyParts } from './apply-transition.ts';
import { createFreshness, type KeysHealth } from './freshness.ts';
import { generateKey, type SigningJwk } from './generate-key.ts';
import { createKeyRing } from './key-ring.ts';
import type { KeySet } from './key-set.ts';
import type { KeyStore } from './key-store.ts';
import { type KeyView, viewOf } from './key-view.ts';
import type { LeaseStore } from './lease-store.ts';
import { checkPolicy, type KeyPolicy } from './policy.ts';
import { pollRegularly } from './poll-regularly.ts';
import { revokeKey } from './revoke-key.ts';
import { advanceKeys, createFirstKeys, readKeys, rotateKeys } from './rotate-keys.ts';
import { resealKeys } from './sealed-key.ts';

/** The signing keys of the installation. */
export interface Keys {
  /**
   * Loads the keys; on an empty database makes one signer per algorithm first.
   * @throws AppError `unavailable` when a key does not open with the configured secrets. It never makes a new one then.
   */
  prepare(): Promise<void>;
  /** What to sign with and what to publish at this moment. Cached: costs a clock reading. */
  current(): KeySet;
  /** Calls `listener` after every change of the set; the result ends it. */
  onChange(listener: (set: KeySet) => void): () => void;
  /** Polls until disposed of: now, then every `pollSeconds`; and tells listeners of a handover on time between polls. */
  start(): AsyncDisposable;
  /** One poll: the leader moves keys on, every node reads them. */
  tick(): Promise<void>;
  /** Every key without its private part, oldest first; removed ones on request. */
  list(options?: { readonly removed: boolean }): Promise<KeyView[]>;
  /**
   * Begins a rotation of one algorithm, or of all: the new key is published now and signs after `publishSeconds`.
   * One that is under way already is kept. Resolves to the keys that will take over.
   */
  rotate(alg: string | undefined, by: Actor): Promise<KeyView[]>;
  /**
   * Removes a key at once, for when its private part may be known to others. Everything that it signed stops verifying
   * as caches of the JWKS run out (`jwksMaxAgeSeconds`); other nodes sign with it until their next poll; what its
   * replacement signs is unknown to verifiers that do not fetch the JWKS again for an unknown `kid`.
   * @throws AppError `conflict` without `emergency` for a key that has signed; `not_found` for one that is not there.
   */
  revoke(kid: string, by: Actor, options?: { readonly emergency: boolean }): Promise<void>;
  /** Seals all keys with the newest secret. `left` is 0 when older secrets are no longer needed here. */
  reseal(): Promise<{ readonly resealed: number; readonly left: number }>;
  /** How far this node's keys can be trusted; for readiness. */
  health(): KeysHealth;
  /**
   * Resolves at once while this node's keys are recent, else reads them first. For a node that slept or lost its
   * database: it may have missed a whole rotation, which takes `publishSeconds` minus one cache life at least.
   * @throws AppError `unavailable` when it missed that much and cannot read.
   */
  ensureFresh(): Promise<void>;
}

export interface KeysOptions {
  readonly store: KeyStore;
  readonly leases: LeaseStore;
  readonly secrets: SecretRing;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly policy: KeyPolicy;
  readonly logger: Logger;
}

/** Calls at the same moment share one generation; the store keeps one of the equal keys. */
function sharedGenerator(): (alg: string) => Promise<SigningJwk> {
  const underWay = new Map<string, Promise<SigningJwk>>();
  return (alg) => {
    const running = underWay.get(alg) ?? generateKey(alg).finally(() => underWay.delete(alg));
    underWay.set(alg, running);
    return running;
  };
}

/**
 * Puts the keys together. Several nodes may share one database.
 * @throws RangeError for a policy under which tokens would fail to verify.
 */
export function createKeys(options: KeysOptions): Keys {
  const { store, leases, secrets, clock, audit, logger } = options;
  const policy = checkPolicy(options.policy);
  const parts: KeyParts = { store, secrets, audit, clock, generate: sharedGenerator() };
  const ring = createKeyRing({ read: () => readKeys(parts), clock, policy, logger });
  const holder = randomText(16);
  const { load, health, ensureFresh } = createFreshness(ring, clock, policy);

  const tick = async (): Promise<void> => {
    // A lease of three polls: a leader that misses two in a row is gone.
    const leads = await leases.acquire('keys', holder, 3 * policy.pollSeconds);
    try {
      const done = leads ? await advanceKeys(parts, policy) : [];
      for (const step of done) logger.info({ step }, 'a signing key moved on');
    } catch (error) {
      // Perhaps another node can do what this one cannot.
      await leases.release('keys', holder);
      throw error;
    } finally {
      await load();
    }
  };

  const list = async (filter?: { readonly removed: boolean }): Promise<KeyView[]> => {
    const keys = await store.list(filter);
    return keys.map((key) => viewOf(key, keys, clock.now(), policy));
  };

  return {
    current: ring.current,
    onChange: ring.onChange,
    tick,
    list,
    health,
    ensureFresh,

    async prepare() {
      await createFirstKeys(parts, policy);
      await load();
    },

    start() {
      ring.arm();
      const polling = pollRegularly(tick, policy.pollSeconds, (error) =>
        logger.error({ reason: reasonOf(error) }, 'keys could not be read; the last known ones stay in use'),
      );
      return {
        async [Symbol.asyncDispose]() {
          ring.disarm();
          await polling[Symbol.asyncDispose]();
          await leases.release('keys', holder).catch(() => undefined);
        },
      };
    },

    async rotate(alg, by) {
      if (alg !== undefined && !(policy.algorithms as readonly string[]).includes(alg)) {
        const known = policy.algorithms.join(', ');
        throw new AppError('invalid_input', `There are no ${alg} keys. Algorithms: ${known}.`, {
          fields: { alg: `Use one of ${known}.` },
        });
      }
      const algs = alg === undefined ? policy.algorithms : [alg];
      await rotateKeys(parts, policy, algs, by);
      await load();
      return (await list()).filter((key) => algs.includes(key.alg as never) && key.state === 'published');
    },

    async revoke(kid, by, { emergency } = { emergency: false }) {
      await revokeKey(parts, policy, kid, by, { emergency });
      await load();
    },

    reseal: () => resealKeys(store, secrets),
  };
}
