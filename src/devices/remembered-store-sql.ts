import type { Knex } from 'knex';
import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { DeviceType } from './describe-device.ts';
import type { RememberedRow, RememberedStore, RememberedTokens, ShownToken } from './remembered-store.ts';

interface Row {
  id: string;
  account_id: string;
  device_hash: string;
  browser: string | null;
  os: string | null;
  device_type: DeviceType;
  last_ip: string | null;
  created_at: Date;
  last_used_at: Date;
}

const columns = [
  'id',
  'account_id',
  'device_hash',
  'browser',
  'os',
  'device_type',
  'last_ip',
  'created_at',
  'last_used_at',
];

const fromRow = (row: Row): RememberedRow => ({
  id: row.id,
  accountId: asAccountId(row.account_id),
  deviceHash: row.device_hash,
  type: row.device_type,
  createdAt: row.created_at.getTime(),
  lastUsedAt: row.last_used_at.getTime(),
  ...(row.browser !== null && { browser: row.browser }),
  ...(row.os !== null && { os: row.os }),
  ...(row.last_ip !== null && { lastIp: row.last_ip }),
});

const toRow = (row: RememberedRow & RememberedTokens) => ({
  id: row.id,
  account_id: row.accountId,
  device_hash: row.deviceHash,
  family_hash: row.familyHash,
  token_hash: row.tokenHash,
  previous_hash: null,
  browser: row.browser ?? null,
  os: row.os ?? null,
  device_type: row.type,
  last_ip: row.lastIp ?? null,
  created_at: new Date(row.createdAt),
  last_used_at: new Date(row.lastUsedAt),
});

/** Remembered devices in table `remembered_device`. */
export function createSqlRememberedStore(database: Database): RememberedStore {
  const of = (shown: ShownToken): Knex.QueryBuilder =>
    database
      .sql('remembered_device')
      .where({ account_id: shown.accountId, device_hash: shown.deviceHash, family_hash: shown.familyHash })
      .where('created_at', '>', new Date(shown.since));

  return {
    async add(row, keep) {
      await database.join();
      await database.transaction(async () => {
        // One at a time for an account, or the bound would not hold for several at once.
        await database.sql.raw('select pg_advisory_xact_lock(hashtextextended(cast(? as text), 0))', [
          `remembered_device ${row.accountId}`,
        ]);
        await database.sql('remembered_device').insert(toRow(row)).onConflict(['account_id', 'device_hash']).merge();
        const beyond = database
          .sql('remembered_device')
          .where({ account_id: row.accountId })
          .orderBy([{ column: 'last_used_at', order: 'desc' }, 'id'])
          .offset(keep)
          .select('id');
        await database.sql('remembered_device').whereIn('id', beyond).delete();
      });
    },

    async rotate(shown, { nextHash, ip, now }) {
      const rotated: number = await of(shown)
        .where({ token_hash: shown.tokenHash })
        .update({
          previous_hash: shown.tokenHash,
          token_hash: nextHash,
          last_used_at: new Date(now),
          ...(ip !== undefined && { last_ip: ip }),
        });
      return rotated === 1;
    },

    async matches(shown, graceSince) {
      const row = await of(shown)
        .where((either) =>
          either
            .where({ token_hash: shown.tokenHash })
            .orWhere((before) =>
              before.where({ previous_hash: shown.tokenHash }).where('last_used_at', '>', new Date(graceSince)),
            ),
        )
        .first('id');
      return row !== undefined;
    },

    async forgetFamily(accountId, familyHash) {
      const [row] = (await database
        .sql('remembered_device')
        .where({ account_id: accountId, family_hash: familyHash })
        .delete()
        .returning(columns)) as Row[];
      return row && fromRow(row);
    },

    async list(accountId, since) {
      const rows = (await database
        .sql('remembered_device')
        .where({ account_id: accountId })
        .where('created_at', '>', new Date(since))
        .orderBy([{ column: 'last_used_at', order: 'desc' }, 'id'])
        .select(columns)) as Row[];
      return rows.map(fromRow);
    },

    async forget(accountId, id) {
      const rows = (await database
        .sql('remembered_device')
        .where({ account_id: accountId, ...(id !== undefined && { id }) })
        .delete()
        .returning(columns)) as Row[];
      return rows.map(fromRow);
    },

    async purge(before, limit) {
      const { rows } = (await database.sql.raw(
        `delete from remembered_device where ctid = any (array(
           select ctid from remembered_device where created_at <= ? limit ? for update skip locked)) returning 1`,
        [new Date(before), limit],
      )) as { rows: unknown[] };
      return rows.length;
    },
  };
}
