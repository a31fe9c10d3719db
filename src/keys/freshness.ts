import type { Clock } from '../shared/clock.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { CheckedPolicy } from './policy.ts';

export interface KeysHealth {
  /** False when a key does not open here, or this node has not read them for too long. */
  readonly ready: boolean;
  /** Seconds since this node last read the keys. */
  readonly ageSeconds: number;
  /** Why the last try to read them failed; for the operator. */
  readonly problem?: string;
}

export interface Freshness {
  /** Reads the keys and remembers how it went. */
  load(): Promise<void>;
  health(): KeysHealth;
  ensureFresh(): Promise<void>;
}

/**
 * Knows for how long what a node has read may be used. A rotation that began right after the read signs one publish time
 * later, and a JWKS served now is cached for its max-age: until the difference of both is over, nothing can go wrong.
 */
export function createFreshness(ring: KeyRing, clock: Clock, policy: CheckedPolicy): Freshness {
  const trustSeconds = policy.publishSeconds - policy.jwksMaxAgeSeconds;
  let problem: { readonly reason: string; readonly sealed: boolean } | undefined;
  let refreshing: Promise<void> | undefined;

  const ageSeconds = (): number =>
    ring.loadedAt === undefined ? Number.POSITIVE_INFINITY : (clock.now() - ring.loadedAt) / 1000;

  const load = async (): Promise<void> => {
    try {
      await ring.load();
      problem = undefined;
    } catch (error) {
      problem = { reason: reasonOf(error), sealed: error instanceof AppError };
      throw error;
    }
  };

  return {
    load,
    health: () => ({
      ready: ageSeconds() <= trustSeconds && problem?.sealed !== true,
      ageSeconds: ageSeconds(),
      ...(problem && { problem: problem.reason }),
    }),
    async ensureFresh() {
      if (ageSeconds() <= trustSeconds) return;
      refreshing ??= load().finally(() => {
        refreshing = undefined;
      });
      await refreshing.catch((error: unknown) => {
        const message = 'The server cannot read its keys. Try again in a moment.';
        throw new AppError('unavailable', message, { retryAfter: 2 }, error);
      });
    },
  };
}
