import type { Database } from '../storage/database.ts';
import type { ExchangeMode, ExchangeRightStore } from './token-exchange-rights.ts';

interface Row {
  client_id: string;
  target: string;
  mode: ExchangeMode;
  scopes: string[];
}

/** Rights to exchange tokens in table `token_exchange`. */
export const createSqlExchangeRightStore = (database: Database): ExchangeRightStore => ({
  transaction: (work) => database.transaction(work),

  async list(clientId) {
    const rows = (await database
      .sql('token_exchange')
      .where({ client_id: clientId })
      .orderBy('target')
      .select('client_id', 'target', 'mode', 'scopes')) as Row[];
    return rows.map(({ client_id, ...right }) => ({ clientId: client_id, ...right }));
  },

  async put({ clientId, target, mode, scopes }, now) {
    const what = { mode, scopes: JSON.stringify(scopes), created_at: new Date(now) };
    await database
      .sql('token_exchange')
      .insert({ client_id: clientId, target, ...what })
      .onConflict(['client_id', 'target'])
      .merge(what);
  },

  async remove(clientId, target) {
    return (await database.sql('token_exchange').where({ client_id: clientId, target }).delete()) === 1;
  },
});
