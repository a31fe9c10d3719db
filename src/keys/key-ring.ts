import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type KeySet, keySetAt } from './key-set.ts';
import type { CheckedPolicy } from './policy.ts';
import type { OpenKey } from './sealed-key.ts';

/** The keys that this process has in memory, and who wants to know when they change. */
export interface KeyRing {
  /** @throws Error before the first load. */
  current(): KeySet;
  onChange(listener: (set: KeySet) => void): () => void;
  /** Reads again; of loads that overlap, the one that began last counts. */
  load(): Promise<void>;
  /** Tells listeners when the set is not the one they know. */
  notify(): void;
  /** When the newest load began, milliseconds since the epoch; `undefined` before the first. */
  readonly loadedAt: number | undefined;
  /** From now on a timer tells listeners about each change that time alone brings. */
  arm(): void;
  disarm(): void;
}

/** Longest delay that `setTimeout` takes. */
const maxDelay = 2 ** 31 - 1;

export function createKeyRing(options: {
  readonly read: () => Promise<OpenKey[]>;
  readonly clock: Clock;
  readonly policy: CheckedPolicy;
  readonly logger: Logger;
}): KeyRing {
  const { clock, policy, logger } = options;
  const listeners = new Set<(set: KeySet) => void>();
  let keys: readonly OpenKey[] | undefined;
  let loadedAt: number | undefined;
  let cached: { readonly set: KeySet; readonly from: number; readonly until: number } | undefined;
  let known: string | undefined;
  let begun = 0;
  let applied = 0;
  let armed = false;
  let timer: NodeJS.Timeout | undefined;

  const current = (): KeySet => {
    const now = clock.now();
    if (cached && now >= cached.from && now < cached.until) return cached.set;
    if (!keys) throw new Error('Keys are not loaded yet: prepare() comes first.');
    cached = { ...keySetAt(keys, now, policy), from: now };
    return cached.set;
  };

  const schedule = (): void => {
    clearTimeout(timer);
    if (!armed || !cached || cached.until === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(notify, Math.min(Math.max(cached.until - clock.now(), 1), maxDelay)).unref();
  };

  const notify = (): void => {
    const set = current();
    schedule();
    if (set.version === known) return;
    const first = known === undefined;
    known = set.version;
    if (first) return;
    for (const listener of listeners) {
      try {
        listener(set);
      } catch (error) {
        logger.error({ reason: reasonOf(error) }, 'a listener for key changes failed');
      }
    }
  };

  return {
    current,
    notify,
    get loadedAt() {
      return loadedAt;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async load() {
      begun += 1;
      const turn = begun;
      const startedAt = clock.now();
      const read = await options.read();
      if (turn < applied) return;
      applied = turn;
      keys = read;
      loadedAt = startedAt;
      cached = undefined;
      notify();
    },
    arm() {
      armed = true;
      schedule();
    },
    disarm() {
      armed = false;
      clearTimeout(timer);
    },
  };
}
