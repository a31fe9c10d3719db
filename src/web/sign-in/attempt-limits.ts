import { hashDevice } from '../../devices/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { SubmitResult } from '../../sign-in/index.ts';
import { addressKey, type RateCounter } from '../http/rate-limit.ts';

/** A try at a name. */
export interface Attempt {
  readonly ip: string;
  readonly login: string;
  /** The stable id of the browser or installation; it proves nothing. */
  readonly deviceId?: string | undefined;
}

/** Bounds how often one address may try one account, and lets tries that come together wait for each other. */
export interface AttemptLimits {
  /**
   * Runs `work` unless too many tries of this address at this account failed lately; then it is refused as `paused`. A
   * browser that the account knows has a count of its own, because others may share its address.
   */
  attempt(attempt: Attempt, work: () => Promise<SubmitResult>): Promise<SubmitResult>;
  /** Forgets the failures of this address at the names of an account that was taken back from there. */
  forget(ip: string, accountId: AccountId): Promise<void>;
}

interface Needs {
  readonly counter: RateCounter;
  readonly clock: Clock;
  /** Whether whoever has this name has signed in with this device. */
  readonly isKnown: (login: string, deviceId: string) => Promise<boolean>;
  readonly namesOf: (accountId: AccountId) => Promise<readonly string[]>;
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

const normalise = (login: string): string => login.trim().normalize('NFKC').toLowerCase();
const sharedKey = (ip: string, name: string): string => `${addressKey(ip)} ${name}`;

/** Puts the limit on a counter. Every try is counted before it is made, so that none slips through beside another. */
export function createAttemptLimits({ counter, clock, isKnown, namesOf }: Needs): AttemptLimits {
  const inTurn = createTurns();

  /** A right password forgets the failures. A form that was sent twice is no guess, and says nothing of earlier ones. */
  const settle = async (key: string, own: string | undefined, result: SubmitResult): Promise<void> => {
    if (result.outcome === 'accepted') await Promise.all([key, own ?? []].flat().map((one) => counter.clear(one)));
    else if (!isFailure(result)) await counter.giveBack(key);
    // Whoever has a count of their own has no more tries for it.
    else if (own !== undefined) await counter.hit(own);
  };

  return {
    attempt({ ip, login, deviceId }, work) {
      const name = normalise(login);
      return inTurn(name, async () => {
        const own = deviceId === undefined ? undefined : `device ${hashDevice(deviceId)} ${name}`;
        const run = async (key: string, also?: string): Promise<SubmitResult> => {
          const result = await work();
          // Not waited for: it leaves before the next try of this name is counted, and a failure only leaves the count.
          void settle(key, also, result).catch(() => undefined);
          return result;
        };
        const shared = sharedKey(ip, name);
        let wait = await counter.take(shared);
        if (wait === 0) return run(shared, own);
        if (own !== undefined && deviceId !== undefined && (await isKnown(login, deviceId))) {
          wait = await counter.take(own);
          if (wait === 0) return run(own);
        }
        return { outcome: 'refused', reason: 'paused', retryAt: clock.now() + wait * 1000 };
      });
    },

    async forget(ip, accountId) {
      // What it comes after is done; without it the owner waits a quarter of an hour at most.
      const names = await namesOf(accountId).catch(() => []);
      await Promise.allSettled(names.map((name) => counter.clear(sharedKey(ip, normalise(name)))));
    },
  };
}
