import knexFactory, { type Knex } from 'knex';
import { AppError } from '../shared/errors.ts';
import { createHotStatements } from './hot-statements.ts';
import type { SqlValue, Statement } from './statement.ts';
import { SqlTransaction } from './transaction.ts';
import { currentUnitOfWork, newUnitOfWork, type UnitOfWork, unitOfWork } from './unit-of-work.ts';

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

const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '53300',
  '53100',
  '53200',
  '25006',
  '08000',
  '08001',
  '08003',
  '08006',
  '55P03',
  '40001',
  '40P01',
  '58000',
  '58030',
  'XX000',
]);
const unavailableText =
  /Timeout acquiring a connection|Connection terminated|timeout expired|Query read timeout|Connection ended|not queryable|Unable to acquire|pool is probably full/i;

/** Whether this failure means that the database is away, full or read-only, rather than that we asked for nonsense. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unavailableCodes.has(code) || error.name === 'KnexTimeoutError' || unavailableText.test(error.message);
}

/** Whether a write failed because another row has that key; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false;
  return constraint === undefined || ('constraint' in error && error.constraint === constraint);
}

/** Remembers that the database is away, so that the answer is 503. */
function noteFailure(error: unknown): void {
  const unit = currentUnitOfWork();
  if (unit && isDatabaseUnavailable(error)) unit.storeFailure ??= error;
}

/** Puts a knex instance behind {@link Database}. `close` also ends what knex does not own. */
export function createDatabase(pool: Knex, kind: Database['kind'], close: () => Promise<void>): Database {
  const open = new WeakMap<UnitOfWork, SqlTransaction>();

  const current = (): SqlTransaction | undefined => {
    const unit = currentUnitOfWork();
    return unit && open.get(unit);
  };

  const hot = createHotStatements(current, pool, noteFailure);

  const join = async (): Promise<void> => {
    const unit = currentUnitOfWork();
    if (!unit || open.has(unit)) return;
    unit.transaction ??= SqlTransaction.open(pool);
    open.set(unit, await unit.transaction);
  };

  const finish = async (unit: UnitOfWork, keep: boolean): Promise<void> => {
    if (!keep) await Promise.allSettled(unit.onRollback.map((undo) => undo()));
    const transaction = await unit.transaction;
    open.delete(unit);
    if (!transaction) return;
    if (!keep) return transaction.rollback();
    await transaction.commit().catch(async (error: unknown) => {
      noteFailure(error);
      // What was refused is not kept; of a connection that broke nobody knows.
      if (!isDatabaseUnavailable(error)) await Promise.allSettled(unit.onRollback.map((undo) => undo()));
      throw error;
    });
  };

  const settle = async (unit: UnitOfWork, keep: boolean): Promise<void> => {
    try {
      await Promise.all(unit.enlisted);
      for (const work of unit.deferred) await work();
      if (keep) for (const step of unit.beforeCommit) await step();
    } catch (error) {
      await finish(unit, false).catch(() => undefined);
      throw error;
    }
    await finish(unit, keep);
  };

  const run = async <T>(
    startedAt: number,
    work: (unit: UnitOfWork) => Promise<T>,
    keep: (result: T) => boolean,
  ): Promise<T> => {
    const unit = newUnitOfWork(startedAt);
    const done = await unitOfWork.run(unit, async () => {
      let result: T;
      try {
        result = await work(unit);
      } catch (error) {
        await settle(unit, false).catch(() => undefined);
        throw error;
      }
      const kept = keep(result);
      await settle(unit, kept);
      return { result, kept };
    });
    if (done.kept && unit.afterCommit.length > 0) {
      await unitOfWork.exit(async () => {
        for (const tell of unit.afterCommit) await tell();
      });
    }
    return done.result;
  };

  pool.on('query-error', noteFailure);

  return {
    kind,
    get sql() {
      hot.refuseOthers();
      return current()?.sql ?? pool;
    },
    query: hot.query,
    together: hot.together,
    join,
    unitOfWork: (startedAt, work, keep = () => true) => run(startedAt, work, keep),
    async transaction(work) {
      const unit = currentUnitOfWork();
      if (unit && open.has(unit)) return work();
      return run(
        unit?.startedAt ?? Date.now(),
        async (inner) => {
          await join();
          void inner;
          return work();
        },
        () => true,
      );
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
      await close();
    },
  };
}

/** Milliseconds that a statement, a lock and a connection may take before the answer is 503. */
const limits = { connect: 1_500, statement: 1_900, lock: 1_500, idleInTransaction: 10_000 };

const quiet = (): void => undefined;

/** Opens a pool on PostgreSQL. It connects on first use; a database that is away fails within two seconds. */
export function openPostgres(url: string, options: { poolSize: number; patient?: boolean }): Database {
  // Migrations may take long and wait for each other; everything else gives up within two seconds.
  const waits = options.patient
    ? {}
    : {
        query_timeout: limits.statement + 100,
        statement_timeout: limits.statement,
        lock_timeout: limits.lock,
        idle_in_transaction_session_timeout: limits.idleInTransaction,
      };
  const pool = knexFactory({
    client: 'pg',
    connection: {
      connectionString: url,
      connectionTimeoutMillis: limits.connect,
      ...waits,
      keepAlive: true,
    } as Knex.PgConnectionConfig,
    acquireConnectionTimeout: limits.connect,
    pool: { min: 0, max: options.poolSize },
    // Failures come back to the caller, who says more than the driver's stack.
    log: { warn: quiet, error: quiet, debug: quiet, deprecate: quiet },
  });
  return createDatabase(pool, 'postgres', async () => undefined);
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
