import type { Database } from '../storage/database.ts';
import { tellOthers } from '../storage/tell-others.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';

interface Row {
  id: string;
  url: string;
  description: string | null;
  events: string[];
  personal_data: boolean;
  secrets: string;
  failures: number;
  failing_since: Date | null;
  disabled_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

const fromRow = (row: Row): StoredEndpoint => ({
  id: row.id,
  url: row.url,
  ...(row.description !== null && { description: row.description }),
  events: row.events,
  personalData: row.personal_data,
  secrets: row.secrets,
  failures: row.failures,
  ...(row.failing_since && { failingSince: row.failing_since.getTime() }),
  ...(row.disabled_at && { disabledAt: row.disabled_at.getTime() }),
  createdAt: row.created_at.getTime(),
  updatedAt: row.updated_at.getTime(),
});

/** What nodes listen to; there is no more to it than that an endpoint was opened. */
export const webhookChannel = 'sallyport_webhooks';

/** Endpoints in table `webhook_endpoint`. */
export const createSqlEndpointStore = (database: Database): EndpointStore => ({
  transaction: (work) => database.transaction(work),

  async add(endpoint) {
    await database.sql('webhook_endpoint').insert({
      id: endpoint.id,
      url: endpoint.url,
      description: endpoint.description ?? null,
      events: [...endpoint.events],
      personal_data: endpoint.personalData,
      secrets: endpoint.secrets,
      created_at: new Date(endpoint.createdAt),
      updated_at: new Date(endpoint.updatedAt),
    });
    await tellOthers(database, webhookChannel);
  },

  async find(id) {
    const row = await database.sql<Row>('webhook_endpoint').where({ id }).first();
    return row && fromRow(row);
  },

  async list() {
    return (await database.sql<Row>('webhook_endpoint').orderBy('created_at').orderBy('id')).map(fromRow);
  },

  async remove(id) {
    const removed = await database.sql('webhook_endpoint').where({ id }).delete();
    await database.sql('webhook_delivery').where({ endpoint_id: id }).delete();
    return removed > 0;
  },

  async replaceSecrets(id, from, to, at) {
    const changes = { secrets: to, updated_at: new Date(at) };
    return (await database.sql('webhook_endpoint').where({ id, secrets: from }).update(changes)) > 0;
  },

  async setDisabled(id, disabled, at) {
    const query = database.sql('webhook_endpoint').where({ id });
    if (disabled) query.whereNull('disabled_at');
    else query.whereNotNull('disabled_at');
    const moment = new Date(at);
    const changed = await query.update({
      disabled_at: disabled ? moment : null,
      updated_at: moment,
      ...(!disabled && { failures: 0, failing_since: null, retry_at: null }),
    });
    if (changed > 0 && !disabled) await tellOthers(database, webhookChannel);
    if (changed > 0 && disabled) {
      await database
        .sql('webhook_delivery')
        .where({ endpoint_id: id, status: 'pending' })
        .update({ status: 'dead', settled_at: moment, body: null, claim: null, error: 'The webhook was disabled.' });
    }
    return changed > 0;
  },
});
