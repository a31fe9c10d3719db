import type { Clock } from '../../shared/clock.ts';

/** Entries of one limit in this process. An attacker who makes more of them than this pushes the oldest ones out. */
const maxEntries = 50_000;

/**
 * A Map that stays small. Entries lie in the order in which they were set, and all of one Map live equally long, so
 * whatever has expired is at the front: each new entry clears it away, and no timer is needed.
 */
export class BoundedMap<V extends object> extends Map<string, V> {
  readonly #expired: (value: V) => boolean;
  readonly #max: number;

  constructor(expired: (value: V) => boolean, max: number = maxEntries) {
    super();
    this.#expired = expired;
    this.#max = max;
  }

  /** Hands out a copy that is the entry from now on: koa-ratelimit changes what it got before while others still read it. */
  override get(key: string): V | undefined {
    const value = super.get(key);
    if (value === undefined) return undefined;
    const copy = { ...value };
    super.set(key, copy);
    return copy;
  }

  override set(key: string, value: V): this {
    this.delete(key);
    for (const [oldest, entry] of this) {
      if (this.size < this.#max && !this.#expired(entry)) break;
      this.delete(oldest);
    }
    return super.set(key, value);
  }
}

/** What is counted for one key: how it is changed and for how many milliseconds it is blocked then. */
export type CountMode = 'peek' | 'hit' | 'take' | 'give-back' | 'clear';

/** Counts over a sliding window: never more than `max` in any stretch of `windowSeconds`. */
export function createLocalCounter(
  options: { readonly max: number; readonly windowSeconds: number },
  clock: Clock,
): (key: string, mode: CountMode) => number {
  const { max } = options;
  const window = options.windowSeconds * 1000;
  const entries = new BoundedMap<{ readonly times: readonly number[] }>(
    ({ times }) => (times.at(-1) ?? 0) + window <= clock.now(),
  );
  const waitOf = (times: readonly number[], now: number): number => {
    const oldest = times.at(-max);
    return oldest === undefined ? 0 : oldest + window - now;
  };

  return (key, mode) => {
    if (mode === 'clear') {
      entries.delete(key);
      return 0;
    }
    const now = clock.now();
    const times = (entries.get(key)?.times ?? []).filter((time) => time + window > now);
    if (mode === 'give-back') {
      entries.set(key, { times: times.slice(0, -1) });
      return 0;
    }
    const wait = waitOf(times, now);
    if (mode === 'peek' || (mode === 'take' && wait > 0)) return wait;
    const counted = [...times, now].slice(-max);
    entries.set(key, { times: counted });
    return mode === 'take' ? 0 : waitOf(counted, now);
  };
}
