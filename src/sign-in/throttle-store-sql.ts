import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { Reservation, ThrottleStore, TryingBrowser } from './throttle-store.ts';

interface Row {
  key: string;
  failures: number;
  retry_at: string | number;
  turn: number;
}

const granted = (key: string, row: Row): Reservation => ({
  granted: true,
  known: row.key !== key,
  key: row.key,
  failures: row.failures,
  retryAt: Number(row.retry_at),
  turn: row.turn,
});

/** `known_device` keeps browsers for as long as they keep its cookie. */
const keyOf = (key: string, accountId: string, deviceHash: string): string => `
  case when exists (select from known_device where account_id = ${accountId}::text and device_hash = ${deviceHash}::text)
    then ${key}::text || ':' || ${deviceHash}::text else ${key}::text end`;

const browserValues = (browser: TryingBrowser | undefined): [string, string] => [
  browser?.accountId ?? '',
  browser?.deviceHash ?? '',
];

/** Failures count together for this many milliseconds at least, also when locks are short. */
const memory = 900_000;

// Values: key, now, delays, how many these are, when a count is forgotten. `delays` counts from 1 and ends with the lock.
// Who gets past a full count has sat the lock out and starts again. Whether the browser is one of the account's is asked
// in the same statement, which reads the table of devices for that: a sign-in waits for no other answer.
const count = statement(`
  insert into sign_in_throttle as t (key, failures, retry_at, last_at, turn)
  select ${keyOf('$1', '$6', '$7')}, 1, $2::bigint + ($3::bigint[])[1], $2::bigint, 1
  on conflict (key) do update set
    failures = case when t.failures >= $4::integer or t.last_at <= $5::bigint then 1 else t.failures + 1 end,
    retry_at = $2::bigint + ($3::bigint[])[
      case when t.failures >= $4::integer or t.last_at <= $5::bigint then 1 else t.failures + 1 end
    ],
    last_at = $2::bigint,
    turn = (t.turn + 1) % 1000000000
  where t.retry_at <= $2::bigint
  returning key, failures, retry_at, turn`);

const pauseOf = statement(`select retry_at from sign_in_throttle where key = ${keyOf('$1', '$2', '$3')}`);

const giveBack = statement(`
  update sign_in_throttle
  set failures = greatest(failures - 1, 0), retry_at = case when turn = $2 then 0 else retry_at end
  where key = $1`);

const reset = statement('update sign_in_throttle set failures = 0, retry_at = 0 where key = $1');

/** Failed tries in table `sign_in_throttle`. Times are milliseconds as bigint, which no configured lock overflows. */
export const createSqlThrottleStore = (database: Database): ThrottleStore => ({
  async tryReserve(key, delays, now, browser) {
    const stale = now - Math.max(delays.at(-1) ?? 0, memory);
    const list = `{${delays.map(Math.trunc).join(',')}}`;
    const [row] = await database.query<Row>(count, [key, now, list, delays.length, stale, ...browserValues(browser)]);
    return row && granted(key, row);
  },

  async pausedUntil(key, now, browser) {
    const values = [key, ...browserValues(browser)];
    const [row] = await database.query<Pick<Row, 'retry_at'>>(pauseOf, values);
    return Number(row?.retry_at ?? now);
  },

  async reserve(key, delays, now, browser) {
    const reservation = await this.tryReserve(key, delays, now, browser);
    return reservation ?? { granted: false, retryAt: await this.pausedUntil(key, now, browser) };
  },

  async giveBack({ key, turn }) {
    await database.query(giveBack, [key, turn]);
  },

  async reset(key) {
    await database.query(reset, [key]);
  },

  async countLocked({ tries, since, now, atMost }) {
    const locked = database
      .sql('sign_in_throttle')
      .where('last_at', '>=', since)
      .where('retry_at', '>', now)
      .where('failures', '>=', tries)
      .whereNot('key', 'like', 'login:%')
      // One account may wait in a browser of its own and anywhere else.
      .distinct(database.sql.raw("split_part(key, ':', 1) as account"))
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
