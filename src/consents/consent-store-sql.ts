import { asAccountId, asClientId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { Consent, Permissions } from './consent.ts';
import type { ConsentStore } from './consents.ts';

interface Row {
  account_id: string;
  client_id: string;
  permissions: Permissions;
  granted_at: Date;
  updated_at: Date;
  last_used_at: Date | null;
}

const fromRow = (row: Row): Consent => ({
  accountId: asAccountId(row.account_id),
  clientId: asClientId(row.client_id),
  ...row.permissions,
  grantedAt: row.granted_at.getTime(),
  updatedAt: row.updated_at.getTime(),
  ...(row.last_used_at && { lastUsedAt: row.last_used_at.getTime() }),
});

/** Consents in table `consent`. */
export const createSqlConsentStore = (database: Database): ConsentStore => ({
  async find(accountId, clientId) {
    const row = await database.sql<Row>('consent').where({ account_id: accountId, client_id: clientId }).first();
    return row && fromRow(row as Row);
  },

  merge: (accountId, clientId, change, now) =>
    database.transaction(async () => {
      const key = { account_id: accountId, client_id: clientId };
      // The row is made first so that there is one to lock, also for the very first grant.
      const empty = JSON.stringify({ scopes: [], claims: [], resources: {} });
      await database
        .sql('consent')
        .insert({ ...key, permissions: empty, granted_at: new Date(now), updated_at: new Date(now) })
        .onConflict(['account_id', 'client_id'])
        .ignore();
      const row = (await database.sql<Row>('consent').where(key).forUpdate().first()) as Row;
      const permissions = change(fromRow(row));
      await database
        .sql('consent')
        .where(key)
        .update({ permissions: JSON.stringify(permissions), updated_at: new Date(now) });
      return fromRow({ ...row, permissions, updated_at: new Date(now) });
    }),

  async listByAccount(accountId) {
    const rows = await database.sql<Row>('consent').where({ account_id: accountId }).orderBy('updated_at', 'desc');
    return rows.map((row) => fromRow(row as Row));
  },

  async noteUse(accountId, clientId, now, dueBefore) {
    await database
      .sql('consent')
      .where({ account_id: accountId, client_id: clientId })
      .where((due) => due.whereNull('last_used_at').orWhere('last_used_at', '<', new Date(dueBefore)))
      .update({ last_used_at: new Date(now) });
  },

  async remove(accountId, clientId) {
    return (await database.sql('consent').where({ account_id: accountId, client_id: clientId }).delete()) > 0;
  },
});
