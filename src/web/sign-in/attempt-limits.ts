import { AppError } from '../../shared/errors.ts';
import type { SubmitResult } from '../../sign-in/index.ts';
import { addressKey, type RateCounter } from '../http/rate-limit.ts';

/** Bounds how often one address may try one account, and lets tries that come together wait for each other. */
export interface AttemptLimits {
  /** Runs `work` unless too many tries of this address at this account failed lately; then it is refused as `paused`. */
  attempt(ip: string, login: string, work: () => Promise<SubmitResult>): Promise<SubmitResult>;
}

const longestQueue = 100;

/**
 * Runs work of one key in turn. Without it, honest sign-ins of one account at the same moment would each count as a
 * try under way, and the sixth would be refused although all of them are right.
 */
function createTurns() {
  const queues = new Map<string, { length: number; last: Promise<unknown> }>();
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? { length: 0, last: Promise.resolve() };
    if (queue.length >= longestQueue) {
      throw new AppError('unavailable', 'Too many people are signing in right now. Try again in a moment.', {
        retryAfter: 2,
      });
    }
    queues.set(key, queue);
    queue.length += 1;
    const turn = queue.last.then(work, work);
    queue.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      queue.length -= 1;
      if (queue.length === 0) queues.delete(key);
    }
  };
}

const isFailure = (result: SubmitResult): boolean =>
  result.outcome === 'refused' && (result.reason === 'mismatch' || result.reason === 'paused');

/** A right password forgets the failures. A form that was sent twice is no guess, and says nothing of earlier ones. */
async function settle(counter: RateCounter, key: string, result: SubmitResult): Promise<void> {
  if (result.outcome === 'accepted') await counter.clear(key);
  else if (!isFailure(result)) await counter.giveBack(key);
}

/** Puts the limit on a counter. Every try is counted before it is made, so that none slips through beside another. */
export function createAttemptLimits(counter: RateCounter, clock: { now(): number }): AttemptLimits {
  const inTurn = createTurns();
  return {
    attempt(ip, login, work) {
      const name = login.trim().normalize('NFKC').toLowerCase();
      return inTurn(name, async () => {
        const key = `${addressKey(ip)} ${name}`;
        const wait = await counter.take(key);
        if (wait > 0) return { outcome: 'refused', reason: 'paused', retryAt: clock.now() + wait * 1000 };
        const result = await work();
        // Not waited for: it leaves before the next try of this name is counted, and a failure only leaves the count.
        void settle(counter, key, result).catch(() => undefined);
        return result;
      });
    },
  };
}
