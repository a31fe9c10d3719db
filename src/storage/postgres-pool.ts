import knexFactory, { type Knex } from 'knex';
import { createSilenceWatch } from './silence-watch.ts';

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
  const silence = options.patient ? undefined : createSilenceWatch(limits);
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
      ...silence,
    },
    // Failures come back to the caller, who says more than the driver's stack.
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });
}
