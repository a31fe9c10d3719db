import type { Knex } from 'knex';

/** When the embedded database is looked after. PostgreSQL's own background processes do not exist in PGlite. */
export interface MaintenanceLimits {
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Bytes of log after which a checkpoint is made, so that neither the log nor the next start grows without end. */
  readonly walBytes: number;
  /** Dead rows of a table after which it is vacuumed, on top of a fifth of its live ones. */
  readonly deadRows: number;
}

const defaults: MaintenanceLimits = { everyMs: 10_000, walBytes: 32 * 1024 * 1024, deadRows: 1_000 };

/** Makes a checkpoint and vacuums where it is due; says what it did. */
export async function maintain(pool: Knex, limits: MaintenanceLimits = defaults): Promise<string[]> {
  const done: string[] = [];
  const wal = await pool.raw<{ rows: { bytes: string }[] }>(
    'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint as bytes from pg_control_checkpoint()',
  );
  if (Number(wal.rows[0]?.bytes ?? 0) > limits.walBytes) {
    await pool.raw('checkpoint');
    done.push('checkpoint');
  }
  const tables = await pool.raw<{ rows: { name: string }[] }>(
    `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
     where n_dead_tup > :deadRows + n_live_tup / 5`,
    { deadRows: limits.deadRows },
  );
  for (const { name } of tables.rows) {
    await pool.raw(`vacuum (analyze) ${name}`);
    done.push(`vacuum ${name}`);
  }
  return done;
}

/** Runs {@link maintain} from time to time, through the pool, so that it never lands in somebody's transaction. */
export function startMaintenance(
  pool: Knex,
  limits: MaintenanceLimits = defaults,
): AsyncDisposable & { readonly isRunning: boolean } {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    // What fails here fails for the next request too, and there it is reported.
    running ??= maintain(pool, limits)
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
      });
  }, limits.everyMs);
  timer.unref();
  return {
    get isRunning() {
      return running !== undefined;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
