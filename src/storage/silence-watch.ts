import type { Lent } from './transaction.ts';

/** Milliseconds that a query may go unanswered. */
export interface SilenceLimits {
  /** Without any other wait. */
  readonly query: number;
  /** What waiting for a connection and then for a query on it may take together. */
  readonly both: number;
  /** What a query gets of that in any case. */
  readonly least: number;
}

/** A connection of a watched pool; times are those of `performance.now()`. */
interface Watched extends Lent {
  answeredAt?: number;
}
type Answer = (error?: unknown, result?: unknown) => void;
type Query = (query: { query_timeout?: number }, answer: Answer) => unknown;

const isSilence = (error: unknown): boolean => error instanceof Error && error.message === 'Query read timeout';

/**
 * Gives each query to which the limits apply what is left of the time, and a connection that has let one wait in vain no
 * other. Behind a network that went away the others may be as dead, so none is lent again that has not answered since.
 */
export function createSilenceWatch(limits: SilenceLimits, applies: () => boolean = () => true) {
  let silentSince = Number.NEGATIVE_INFINITY;
  const watch = (connection: Watched): void => {
    const query = connection.query.bind(connection) as Query;
    const limited: Query = (config, answer) => {
      if (connection.__knex__disposed) {
        return process.nextTick(answer, new Error(`Connection ended: ${connection.__knex__disposed}`));
      }
      if (!applies()) return query(config, answer);
      const sentAt = performance.now();
      const time = Math.max(limits.least, Math.min(limits.query, limits.both - (connection.waited ?? 0)));
      config.query_timeout = time;
      return query(config, (error, result) => {
        if (isSilence(error)) {
          connection.__knex__disposed ??= error;
          // Of one that was given less time nobody knows: it may only wait for a lock.
          if (time === limits.query) silentSince = Math.max(silentSince, sentAt);
        } else connection.answeredAt = performance.now();
        answer(error, result);
      });
    };
    connection.query = limited;
    connection.answeredAt = performance.now();
  };
  return {
    /** For the pool: called with each connection that it makes. */
    afterCreate(connection: Watched, done: () => void): void {
      watch(connection);
      done();
    },
    /** For the pool: whether a connection may be lent. */
    validate: ({ answeredAt = 0 }: Watched): boolean => answeredAt >= silentSince,
  };
}
