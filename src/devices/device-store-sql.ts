import type { Database } from '../storage/database.ts';
import { statement, unanswered } from '../storage/statement.ts';
import type { DeviceType } from './describe-device.ts';
import type { KnownDevice } from './device.ts';
import type { DeviceStore, Sighting } from './device-store.ts';

interface Row {
  device_hash: string;
  browser: string | null;
  os: string | null;
  device_type: DeviceType;
  last_ip: string | null;
  first_seen_at: Date;
  last_seen_at: Date;
}

const fromRow = (row: Row): KnownDevice => ({
  deviceHash: row.device_hash,
  type: row.device_type,
  firstSeenAt: row.first_seen_at.getTime(),
  lastSeenAt: row.last_seen_at.getTime(),
  ...(row.browser !== null && { browser: row.browser }),
  ...(row.os !== null && { os: row.os }),
  ...(row.last_ip !== null && { lastIp: row.last_ip }),
});

// Who inserts counts 1, whoever comes later counts on: that tells them apart, however many come at once.
const seeText = (result: string) => `
  insert into known_device as d
    (account_id, device_hash, browser, os, device_type, last_ip, first_seen_at, last_seen_at)
  values ($1, $2, $3, $4, $5, $6, $7, $7)
  on conflict (account_id, device_hash) do update set
    sign_ins = case when d.sign_ins < 1000000000 then d.sign_ins + 1 else d.sign_ins end,
    browser = excluded.browser, os = excluded.os, device_type = excluded.device_type,
    last_ip = coalesce(excluded.last_ip, d.last_ip), last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)${result}`;
const see = statement(
  seeText(` returning sign_ins = 1 as is_new,
    exists (select 1 from known_device o where o.account_id = d.account_id and o.device_hash <> d.device_hash) as has_others`),
);
const seeAgain = unanswered(seeText(''));

const trim = unanswered(`
  delete from known_device where account_id = $1 and device_hash in (
    select device_hash from known_device where account_id = $1 order by last_seen_at desc, device_hash offset $2)`);

const valuesOf = ({ accountId, deviceHash, device, ip, now }: Sighting) => [
  ...[accountId, deviceHash, device.browser ?? null, device.os ?? null, device.type, ip ?? null],
  new Date(now),
];

/** Known browsers in table `known_device`. */
export const createSqlDeviceStore = (database: Database): DeviceStore => ({
  async transaction(work) {
    await database.join();
    return database.transaction(work);
  },

  async see(sighting) {
    const [row] = await database.query<{ is_new: boolean; has_others: boolean }>(see, valuesOf(sighting));
    return { isNew: row?.is_new === true, hasOthers: row?.has_others === true };
  },

  async seeAgain(sighting) {
    await database.query(seeAgain, valuesOf(sighting));
  },

  async isKnown(accountId, deviceHash, since) {
    const row = await database
      .sql('known_device')
      .where({ account_id: accountId, device_hash: deviceHash })
      .where('last_seen_at', '>', new Date(since))
      .first('sign_ins');
    return row !== undefined;
  },

  async list(accountId, since) {
    const rows = await database
      .sql<Row>('known_device')
      .where({ account_id: accountId } as Partial<Row>)
      .where('last_seen_at', '>', new Date(since))
      .orderBy([{ column: 'last_seen_at', order: 'desc' }, 'device_hash']);
    return (rows as Row[]).map(fromRow);
  },

  async trim(accountId, keep) {
    await database.query(trim, [accountId, keep]);
  },

  async forget(accountId, deviceHash) {
    const gone = await database.sql('known_device').where({ account_id: accountId, device_hash: deviceHash }).delete();
    return gone > 0;
  },

  async purge(before, limit) {
    const { rows } = (await database.sql.raw(
      `delete from known_device where ctid = any (array(
         select ctid from known_device where last_seen_at <= ? limit ? for update skip locked)) returning 1`,
      [new Date(before), limit],
    )) as { rows: unknown[] };
    return rows.length;
  },
});
