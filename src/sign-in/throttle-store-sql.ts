import type { Database } from '../storage/database.ts';
import type { Reservation, ThrottleStore } from './throttle-store.ts';

interface Row {
  failures: number;
  retry_at: string | number;
  turn: number;
}

const granted = (key: string, row: Row): Reservation => ({
  granted: true,
  key,
  failures: row.failures,
  retryAt: Number(row.retry_at),
  turn: row.turn,
});

/** Failures count together for this many milliseconds at least, also when locks are short. */
const memory = 900_000;

// `delays` counts from 1 and ends with the lock. Who gets past a full count has sat the lock out and starts again.
const count = `
  insert into sign_in_throttle as t (key, failures, retry_at, last_at, turn)
  values (:key, 1, :now::bigint + (:delays::bigint[])[1], :now, 1)
  on conflict (key) do update set
    failures = case when t.failures >= :tries or t.last_at <= :stale then 1 else t.failures + 1 end,
    retry_at = :now::bigint + (:delays::bigint[])[
      case when t.failures >= :tries or t.last_at <= :stale then 1 else t.failures + 1 end
    ],
    last_at = :now,
    turn = (t.turn + 1) % 1000000000
  where t.retry_at <= :now
  returning failures, retry_at, turn`;

/** Failed tries in table `sign_in_throttle`. Times are milliseconds as bigint, which no configured lock overflows. */
export const createSqlThrottleStore = (database: Database): ThrottleStore => ({
  async reserve(key, delays, now) {
    const stale = now - Math.max(delays.at(-1) ?? 0, memory);
    const bindings = { key, now, stale, tries: delays.length, delays: `{${delays.map(Math.trunc).join(',')}}` };
    const { rows } = (await database.sql.raw(count, bindings)) as { rows: Row[] };
    if (rows[0]) return granted(key, rows[0]);
    const row = await database.sql('sign_in_throttle').where({ key }).first('retry_at');
    return { granted: false, retryAt: Number(row?.retry_at ?? now) };
  },

  async giveBack({ key, turn }) {
    await database.sql.raw(
      `update sign_in_throttle
       set failures = greatest(failures - 1, 0), retry_at = case when turn = :turn then 0 else retry_at end
       where key = :key`,
      { key, turn },
    );
  },

  async reset(key) {
    await database.sql('sign_in_throttle').where({ key }).update({ failures: 0, retry_at: 0 });
  },

  async countLocked({ tries, since, now, atMost }) {
    const locked = database
      .sql('sign_in_throttle')
      .where('last_at', '>=', since)
      .where('retry_at', '>', now)
      .where('failures', '>=', tries)
      .whereNot('key', 'like', 'login:%')
      .select('key')
      .limit(atMost)
      .as('locked');
    const row = await database.sql(locked).count({ found: '*' }).first();
    return Number(row?.found ?? 0);
  },

  purge: (before, now, limit) =>
    database
      .sql('sign_in_throttle')
      .whereIn(
        'key',
        database
          .sql('sign_in_throttle')
          .where('last_at', '<', before)
          .where('retry_at', '<=', now)
          .select('key')
          .limit(limit),
      )
      .delete(),
});
