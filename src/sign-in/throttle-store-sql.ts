import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { ThrottleStore, TryingBrowser } from './throttle-store.ts';

interface Row {
  key: string | null;
  failures: number;
  retry_at: string | number;
  turn: number;
  name: string | null;
  name_retry_at: string | number;
  name_turn: number;
}

/** `known_device` keeps browsers for as long as they keep its cookie. */
const isKnown = (accountId: string, deviceHash: string): string =>
  `exists (select from known_device where account_id = ${accountId}::text and device_hash = ${deviceHash}::text)`;

const browserValues = (browser: TryingBrowser | undefined): [string, string] => [
  browser?.accountId ?? '',
  browser?.deviceHash ?? '',
];

/** Failures count together for this many milliseconds at least, also when locks are short. */
const memory = 900_000;

// Who gets past a full count has sat the lock out and starts again.
const add = (key: string, from: string): string => `
  insert into sign_in_throttle as t (key, failures, retry_at, last_at, turn)
  select ${key}, 1, $2::bigint + ($3::bigint[])[1], $2::bigint, 1 from ${from}
  on conflict (key) do update set
    failures = case when t.failures >= $4::integer or t.last_at <= $5::bigint then 1 else t.failures + 1 end,
    retry_at = $2::bigint + ($3::bigint[])[
      case when t.failures >= $4::integer or t.last_at <= $5::bigint then 1 else t.failures + 1 end
    ],
    last_at = $2::bigint,
    turn = (t.turn + 1) % 1000000000
  where t.retry_at <= $2::bigint
  returning key, failures, retry_at, turn`;

// Values: account, now, delays, how many these are, when a count is forgotten, browser, name. `delays` counts from 1 and
// ends with the lock. A sign-in waits for no other answer: whether the browser is one of the account's is asked in the same
// statement, and the account is counted only if its name is. Names are locked first, here and below.
const count = statement(`
  with device as materialized (select ${isKnown('$6', '$7')} as known),
  named as (${add('$8::text', 'device where $8::text is not null and not known')}),
  counted as (${add(
    `case when known then $1::text || ':' || $7::text else $1::text end`,
    'device where known or $8::text is null or exists (select from named)',
  )})
  select counted.*, named.key as name, named.retry_at as name_retry_at, named.turn as name_turn
  from (values (1)) as one left join named on true left join counted on true`);

const pauseOf = statement(`
  select retry_at from sign_in_throttle
  where key = case when ${isKnown('$2', '$3')} then $1::text || ':' || $3::text else coalesce($4::text, $1::text) end`);

/** Changes the rows of `names` and then, not before, those of `keys`. */
const nameFirst = (change: (turn: string) => string, names: string, keys: string): string => `
  with named as (update sign_in_throttle set ${change('$4')} where ${names} returning 1)
  update sign_in_throttle set ${change('$2')} where ${keys} and (select count(*) from named) >= 0`;

const giveBack = statement(
  nameFirst(
    (turn) => `
      failures = greatest(failures - 1, 0), retry_at = case when turn = ${turn}::integer then 0 else retry_at end`,
    'key = $3::text',
    'key = $1::text',
  ),
);

const none = (): string => 'failures = 0, retry_at = 0';

const reset = statement(nameFirst(none, 'key = $2::text', 'key = $1::text'));

const lift = statement(
  nameFirst(
    none,
    'key = any ($2::text[])',
    `key in (select $1::text union all
      select $1::text || ':' || device_hash from known_device where account_id = $1::text)`,
  ),
);

/** Failed tries in table `sign_in_throttle`. Times are milliseconds as bigint, which no configured lock overflows. */
export const createSqlThrottleStore = (database: Database): ThrottleStore => ({
  async tryReserve({ account, name = null }, delays, now, browser) {
    const stale = now - Math.max(delays.at(-1) ?? 0, memory);
    const list = `{${delays.map(Math.trunc).join(',')}}`;
    const values = [account, now, list, delays.length, stale, ...browserValues(browser), name];
    const [row] = await database.query<Row>(count, values);
    if (!row) return undefined;
    const named = row.name !== null && {
      name: { key: row.name, retryAt: Number(row.name_retry_at), turn: row.name_turn },
    };
    if (row.key === null) return named ? { granted: false, ...named.name } : undefined;
    return {
      granted: true,
      known: row.key !== account,
      key: row.key,
      failures: row.failures,
      retryAt: Number(row.retry_at),
      turn: row.turn,
      ...named,
    };
  },

  async pausedUntil({ account, name = null }, now, browser) {
    const values = [account, ...browserValues(browser), name];
    const [row] = await database.query<Pick<Row, 'retry_at'>>(pauseOf, values);
    return Number(row?.retry_at ?? now);
  },

  async reserve(tried, delays, now, browser) {
    const taken = await this.tryReserve(tried, delays, now, browser);
    if (taken?.granted) return taken;
    if (taken) await this.giveBack(taken);
    const pauses = [tried, { account: tried.account }].map((one) => this.pausedUntil(one, now, browser));
    return { granted: false, retryAt: Math.max(...(await Promise.all(pauses))) };
  },

  async giveBack({ key, turn, name }) {
    await database.query(giveBack, [key, turn, name?.key ?? null, name?.turn ?? null]);
  },

  async reset({ key, name }) {
    await database.query(reset, [key, name?.key ?? null]);
  },

  async lift(accountId, names) {
    // Made by us: hashes, which need no quotes.
    await database.query(lift, [accountId, `{${names.join(',')}}`]);
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
