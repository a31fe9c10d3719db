import { setImmediate as aMoment } from 'node:timers/promises';
import type { Knex } from 'knex';
import { AppError } from '../shared/errors.ts';
import type { Lender } from './transaction.ts';
import { isAwaited } from './unit-of-work.ts';

/** Milliseconds; a request is answered within two seconds. */
export const waits = {
  /** Without a sign of life, after which nobody is made to wait for one. */
  silence: 1_400,
  /** For the one connection, between two looks at whether the database lives. */
  look: 1_500,
  /** For the one connection, when others are served meanwhile. */
  turn: 10_000,
  /** For the answer to one statement of a request. */
  query: 1_600,
};

const silent = (): AppError =>
  new AppError('unavailable', 'The embedded database does not answer. Does its disk?', { retryAfter: 5 });

/**
 * Lets those who want the one connection of `pool` wait for their turn, and for nothing when the database itself has not
 * answered for `silentMs`. @throws AppError `unavailable`, from what then lends
 */
export function lendWhileAnswered(pool: Knex, silentMs: () => number): void {
  const lender = pool.client as Lender;
  const isSilent = async (): Promise<boolean> => {
    // This process may have been stopped or busy meanwhile, with the answer waiting.
    for (let look = 0; look < 2 && silentMs() >= waits.silence; look += 1) await aMoment();
    return silentMs() >= waits.silence;
  };
  const acquire = lender.acquireConnection.bind(lender);
  lender.acquireConnection = async () => {
    for (const since = performance.now(); ; ) {
      // Nobody waits for the others, who may be behind a statement that takes its time.
      if (isAwaited() && (await isSilent())) throw silent();
      try {
        return await acquire();
      } catch (error) {
        const isEarly = performance.now() - since < waits.turn;
        if (!(error instanceof Error && error.name === 'KnexTimeoutError' && isEarly)) throw error;
      }
    }
  };
}
