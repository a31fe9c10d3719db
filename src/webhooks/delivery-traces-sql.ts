import type { Database } from '../storage/database.ts';
import type { DeliveryTraceStore, WaitingMessage } from './delivery-traces.ts';

/** Deliveries that wait in table `webhook_delivery`: few, as each waits for a day at most, so they are read one by one. */
export const createSqlDeliveryTraceStore = (database: Database): DeliveryTraceStore => ({
  async about(accountIds) {
    const { rows } = await database.sql.raw<{ rows: WaitingMessage[] }>(
      `select endpoint_id as "endpointId", event_id as "eventId", body from webhook_delivery
       where status = 'pending' and exists (select from unnest(:ids::text[]) as id where strpos(body, id) > 0)
       order by endpoint_id, event_id for update`,
      { ids: [...accountIds] },
    );
    return rows;
  },

  async replace({ endpointId, eventId, body: from }, body) {
    await database
      .sql('webhook_delivery')
      .where({ endpoint_id: endpointId, event_id: eventId, status: 'pending', body: from })
      .update({ body });
  },
});
