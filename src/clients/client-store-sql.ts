import { asClientId, type ClientId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { tellOthers } from '../storage/tell-others.ts';
import type { Client } from './client.ts';
import type { ClientStore } from './client-store.ts';

interface Row {
  id: string;
  name: string;
  kind: Client['kind'];
  metadata: Client['metadata'];
  apis: Client['apis'];
  first_party: boolean;
  direct_sign_in: boolean;
  require_pkce: boolean;
  require_second_factor: boolean;
  strict_refresh: boolean;
  may_introspect: boolean;
  session_idle_seconds: number | null;
  disabled: boolean;
  created_at: Date;
  updated_at: Date;
  version: number;
}

interface SecretRow {
  hash: string;
  expires_at: number | null;
}

const fromRow = (row: Row): Client => ({
  id: asClientId(row.id),
  name: row.name,
  kind: row.kind,
  metadata: row.metadata,
  apis: row.apis,
  firstParty: row.first_party,
  directSignIn: row.direct_sign_in,
  requirePkce: row.require_pkce,
  requireSecondFactor: row.require_second_factor,
  strictRefresh: row.strict_refresh,
  mayIntrospect: row.may_introspect,
  ...(row.session_idle_seconds !== null && { sessionIdleSeconds: row.session_idle_seconds }),
  disabled: row.disabled,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
  version: row.version,
});

const toRow = (client: Client) => ({
  id: client.id,
  name: client.name,
  kind: client.kind,
  metadata: JSON.stringify(client.metadata),
  apis: JSON.stringify(client.apis),
  first_party: client.firstParty,
  direct_sign_in: client.directSignIn,
  require_pkce: client.requirePkce,
  require_second_factor: client.requireSecondFactor,
  strict_refresh: client.strictRefresh,
  may_introspect: client.mayIntrospect,
  session_idle_seconds: client.sessionIdleSeconds || null,
  disabled: client.disabled,
  created_at: new Date(client.createdAt),
  updated_at: new Date(client.updatedAt),
  version: client.version,
});

/** What nodes listen to; there is no more to it than that a client or a secret is not as it was. */
export const clientChannel = 'sallyport_clients';

/** Replaces the others' end and adds the new one. The row of the client is locked, so that rotations queue up. */
async function addSecret(
  database: Database,
  id: ClientId,
  hash: string,
  now: number,
  othersEnd: number,
): Promise<void> {
  await database.transaction(async () => {
    const { sql } = database;
    await sql('client').where({ id }).forUpdate().first('id');
    const end = new Date(othersEnd);
    await sql('client_secret')
      .where({ client_id: id })
      .whereRaw('(expires_at is null or expires_at > ?)', [end])
      .update({ expires_at: end });
    await sql('client_secret').where('expires_at', '<=', new Date(now)).delete();
    await sql('client_secret').insert({ client_id: id, hash, created_at: new Date(now) });
    await tellOthers(database, clientChannel);
  });
}

/** Clients in tables `client` and `client_secret`. */
export const createSqlClientStore = (database: Database): ClientStore => ({
  transaction: (work) => database.transaction(work),
  inTransaction: () => database.sql.isTransaction === true,

  async load(id) {
    const { sql } = database;
    const secrets = sql.raw(
      `(select coalesce(json_agg(json_build_object('hash', hash, 'expires_at', extract(epoch from expires_at) * 1000)), '[]')
        from client_secret where client_id = client.id) as secrets`,
    );
    const row = (await sql('client').where({ id }).first('client.*', secrets)) as
      | (Row & { secrets: SecretRow[] })
      | undefined;
    return (
      row && {
        client: fromRow(row),
        secrets: row.secrets.map(({ hash, expires_at }) =>
          expires_at === null ? { hash } : { hash, expiresAt: expires_at },
        ),
      }
    );
  },

  async list({ limit, after }) {
    const query = database.sql<Row>('client').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
    if (after !== undefined) {
      query.whereRaw('(created_at, id) < (select created_at, id from client where id = ?)', [after]);
    }
    return (await query).map(fromRow);
  },

  async count(atMost) {
    const row = await database
      .sql(database.sql('client').select('id').limit(atMost).as('some'))
      .count({ found: '*' })
      .first();
    return Number(row?.found ?? 0);
  },

  async insert(client) {
    const rows = await database.sql('client').insert(toRow(client)).onConflict().ignore().returning('id');
    await tellOthers(database, clientChannel);
    return rows.length > 0;
  },

  async replace(client) {
    const { id, created_at: _created, ...columns } = toRow(client);
    const where = { id, version: client.version - 1 };
    const replaced: number = await database.sql('client').where(where).update(columns);
    await tellOthers(database, clientChannel);
    return replaced === 1;
  },

  async remove(id) {
    const removed: number = await database.sql('client').where({ id }).delete();
    await tellOthers(database, clientChannel);
    return removed === 1;
  },

  addSecret: (id, hash, now, othersEnd) => addSecret(database, id, hash, now, othersEnd),

  async removeSecrets(id) {
    await database.sql('client_secret').where({ client_id: id }).delete();
    await tellOthers(database, clientChannel);
  },
});
