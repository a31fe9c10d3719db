import type { Database } from '../storage/database.ts';
import { tellOthers } from '../storage/tell-others.ts';
import type { Api } from './api.ts';
import type { ApiStore } from './api-store.ts';

interface Row {
  identifier: string;
  name: string;
  scopes: Api['scopes'];
  token_format: Api['tokenFormat'];
  access_token_seconds: number | null;
  signing_alg: Api['signingAlg'];
  require_second_factor: boolean;
  status_list: boolean;
  created_at: Date;
  updated_at: Date;
  version: number;
}

const fromRow = (row: Row): Api => ({
  identifier: row.identifier,
  name: row.name,
  scopes: row.scopes,
  tokenFormat: row.token_format,
  signingAlg: row.signing_alg,
  requireSecondFactor: row.require_second_factor,
  statusList: row.status_list,
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
  version: row.version,
  ...(row.access_token_seconds !== null && { accessTokenSeconds: row.access_token_seconds }),
});

const toRow = (api: Api) => ({
  identifier: api.identifier,
  name: api.name,
  scopes: JSON.stringify(api.scopes),
  token_format: api.tokenFormat,
  access_token_seconds: api.accessTokenSeconds ?? null,
  signing_alg: api.signingAlg,
  require_second_factor: api.requireSecondFactor,
  status_list: api.statusList ?? false,
  created_at: new Date(api.createdAt),
  updated_at: new Date(api.updatedAt),
  version: api.version,
});

/** What nodes listen to; there is no more to it than that an API is not as it was. */
export const apiChannel = 'sallyport_apis';

/** APIs in table `api`. */
export const createSqlApiStore = (database: Database): ApiStore => ({
  transaction: (work) => database.transaction(work),
  inTransaction: () => database.sql.isTransaction === true,

  async find(identifier) {
    const row = await database.sql<Row>('api').where({ identifier }).first();
    return row && fromRow(row);
  },

  async list() {
    return (await database.sql<Row>('api').orderBy(['name', 'identifier'])).map(fromRow);
  },

  async insert(api) {
    const rows = await database.sql('api').insert(toRow(api)).onConflict().ignore().returning('identifier');
    await tellOthers(database, apiChannel);
    return rows.length > 0;
  },

  async replace(api) {
    const { identifier, created_at: _created, ...columns } = toRow(api);
    const where = { identifier, version: api.version - 1 };
    const replaced: number = await database.sql('api').where(where).update(columns);
    await tellOthers(database, apiChannel);
    return replaced === 1;
  },

  async remove(identifier) {
    const removed: number = await database.sql('api').where({ identifier }).delete();
    await tellOthers(database, apiChannel);
    return removed === 1;
  },
});
