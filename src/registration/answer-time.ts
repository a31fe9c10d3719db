import { setTimeout as delay } from 'node:timers/promises';

/** Runs work whose answer must not tell, by its time, what the work found. */
export type AnswerTime = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Answers, good or bad, no sooner than `milliseconds` after the question. The two ways through a registration do the
 * same slow things, but not the same statements; what differs by a millisecond is not seen behind a fixed time.
 */
export const createAnswerTime =
  (milliseconds: number): AnswerTime =>
  async (work) => {
    const pause = delay(milliseconds);
    const [result] = await Promise.allSettled([work(), pause]);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  };
