import knexFactory, { type Knex } from 'knex';
import type { Lent } from './transaction.ts';

/**
 * Milliseconds after which the answer is 503, which has to be there within two seconds. The server cancels a statement
 * itself when it can, so that the connection stays good; `query` is for one that does not answer. `both` is what waiting
 * for a connection and then for a statement on it may take together, of which the statement gets `least` in any case.
 */
const limits = {
  connect: 1_500,
  lock: 1_400,
  statement: 1_500,
  query: 1_600,
  both: 1_800,
  least: 500,
  idleInTransaction: 10_000,
};

/** A connection of this pool; times are those of `performance.now()`. */
interface Watched extends Lent {
  answeredAt?: number;
}
type Answer = (error?: unknown, result?: unknown) => void;
type Query = (query: { query_timeout?: number }, answer: Answer) => unknown;

const isSilence = (error: unknown): boolean => error instanceof Error && error.message === 'Query read timeout';

/**
 * Gives each query what is left of the time, and a connection that has let one wait in vain no other. Behind a network
 * that went away the others may be as dead, so none is lent again that has not answered since.
 */
function createSilenceWatch() {
  let silentSince = Number.NEGATIVE_INFINITY;
  return {
    watch(connection: Watched): void {
      const query = connection.query.bind(connection) as Query;
      const limited: Query = (config, answer) => {
        if (connection.__knex__disposed) {
          return process.nextTick(answer, new Error(`Connection ended: ${connection.__knex__disposed}`));
        }
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
    },
    isGood: ({ answeredAt = 0 }: Watched): boolean => answeredAt >= silentSince,
  };
}

/** Makes the pool. It connects on first use. A `patient` one is for migrations, which take long and wait for each other. */
export function createPostgresPool(url: string, options: { poolSize: number; patient?: boolean }): Knex {
  const waits = options.patient
    ? {}
    : {
        statement_timeout: limits.statement,
        lock_timeout: limits.lock,
        idle_in_transaction_session_timeout: limits.idleInTransaction,
        // For what knex asks on its own when it has connected.
        query_timeout: limits.query,
      };
  const quiet = (): void => undefined;
  const silence = options.patient ? undefined : createSilenceWatch();
  return knexFactory({
    client: 'pg',
    connection: {
      connectionString: url,
      connectionTimeoutMillis: limits.connect,
      ...waits,
      keepAlive: true,
    } as Knex.PgConnectionConfig,
    acquireConnectionTimeout: limits.connect,
    pool: {
      min: 0,
      max: options.poolSize,
      ...(silence && {
        afterCreate(connection: Watched, done: () => void) {
          silence.watch(connection);
          done();
        },
        validate: silence.isGood,
      }),
    },
    // Failures come back to the caller, who says more than the driver's stack.
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });
}
