import type { Knex } from 'knex';
import { AppError } from '../shared/errors.ts';
import { isDatabaseUnavailable, noteFailure } from './away.ts';
import { createHotStatements } from './hot-statements.ts';
import { createPostgresPool } from './postgres-pool.ts';
import { createUnits } from './run-unit.ts';
import type { SqlValue, Statement } from './statement.ts';
import { watchLending } from './transaction.ts';
import { currentUnitOfWork, type UnitOfWork } from './unit-of-work.ts';

export { isDatabaseUnavailable } from './away.ts';

/** The SQL side of storage: one dialect, on PostgreSQL or embedded PGlite. */
export interface Database extends AsyncDisposable {
  /** Queries go through this: the transaction of this call chain when it has one, else the pool. */
  readonly sql: Knex;
  /** Runs a hot statement past the query builder, in the same transaction as `sql` would; see {@link Statement}. */
  query<Row>(statement: Statement, values: readonly SqlValue[]): Promise<Row[]>;
  /**
   * Sends what `work` queries in one round trip, all or nothing. `work` has to ask for all of it before it waits for
   * any of it; a query that comes later throws, because it could be kept without the others.
   */
  together<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Sends what `work` queries ahead of whatever the current unit of work asks next, in the same round trip and in its
   * transaction. `done` settles with that. The same goes for `work` as in `together`.
   */
  ahead<T>(work: () => Promise<T>): Promise<{ readonly done: Promise<T> }>;
  /** Runs `work` in one transaction, joining the one that is already open. Rolls back when it throws. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Opens the transaction of the current unit of work when there is one; a store calls it before its first write.
   * Outside a unit of work it does nothing and each statement stands for itself.
   */
  join(): Promise<void>;
  /**
   * Runs a request. What it joins is committed when `keep` says so of the result and rolled back otherwise or when it
   * throws; the commit is over before this resolves, so nothing is answered that is not stored.
   */
  unitOfWork<T>(startedAt: number, work: (unit: UnitOfWork) => Promise<T>, keep?: (result: T) => boolean): Promise<T>;
  /** Which product answers, for the log and `doctor`. */
  readonly kind: 'pglite' | 'postgres';
}

/** Whether a write failed because another row has that key; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false;
  return constraint === undefined || ('constraint' in error && error.constraint === constraint);
}

/** Puts a knex instance behind {@link Database}. `close` also ends what knex does not own. */
export function createDatabase(pool: Knex, kind: Database['kind'], close: () => Promise<void>): Database {
  const { current, join, run } = createUnits(pool);
  const hot = createHotStatements(current, pool);
  watchLending(pool);
  pool.on('query-error', noteFailure);

  return {
    kind,
    get sql() {
      hot.refuseOthers();
      return current()?.sql ?? pool;
    },
    query: hot.query,
    together: hot.together,
    async ahead(work) {
      await join();
      return { done: hot.ahead(work) };
    },
    join,
    unitOfWork: (startedAt, work, keep = () => true) => run({ startedAt, isAwaited: true }, work, keep),
    async transaction(work) {
      if (current()) return work();
      const joined = async () => {
        await join();
        return work();
      };
      const startedAt = currentUnitOfWork()?.startedAt ?? Date.now();
      return run({ startedAt, isAwaited: false }, joined, () => true);
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
      await close();
    },
  };
}

/** Opens a pool on PostgreSQL. It connects on first use; a database that is away fails within two seconds. */
export function openPostgres(url: string, options: { poolSize: number; patient?: boolean }): Database {
  return createDatabase(createPostgresPool(url, options), 'postgres', async () => undefined);
}

/** Turns a driver's failure into the error of the closed set; anything else comes back as it was. */
export const asStoreError = (error: unknown): unknown =>
  isDatabaseUnavailable(error)
    ? new AppError(
        'unavailable',
        'The server cannot reach its database. Try again in a moment.',
        { retryAfter: 2 },
        error,
      )
    : error;
