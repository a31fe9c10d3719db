import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { Delivery, DeliveryOutcome, DeliveryStore } from './delivery-store.ts';

interface Row {
  endpoint_id: string;
  event_id: string;
  type: string;
  body: string | null;
  status: Delivery['status'];
  attempts: number;
  created_at: Date;
  next_at: Date;
  expires_at: Date;
  settled_at: Date | null;
  http_status: number | null;
  error: string | null;
}

const fromRow = (row: Row): Delivery => ({
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  type: row.type,
  ...(row.body !== null && { body: row.body }),
  status: row.status,
  attempts: row.attempts,
  createdAt: row.created_at.getTime(),
  nextAt: row.next_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  ...(row.settled_at && { settledAt: row.settled_at.getTime() }),
  ...(row.http_status !== null && { httpStatus: row.http_status }),
  ...(row.error !== null && { error: row.error }),
});

// Which endpoints want it is asked here and not of any node's memory, so none is missed that was added elsewhere.
const add = statement(`
  insert into webhook_delivery (endpoint_id, event_id, type, body, status, next_at, created_at, expires_at)
  select id, $1, $2, case when personal_data then $4 else $3 end, 'pending', $5::timestamptz, $5::timestamptz, $6::timestamptz
  from webhook_endpoint
  where disabled_at is null and exists (
    select from unnest(events) as pattern
    where pattern in ('*', $2) or (pattern like '%.*' and starts_with($2, left(pattern, -1))))
  on conflict do nothing`);

const due = `
  select id from webhook_endpoint as endpoint
  where disabled_at is null and (retry_at is null or retry_at <= :now) and exists (
    select from webhook_delivery where endpoint_id = endpoint.id and status = 'pending' and next_at <= :now)
  order by id`;

const claim = `
  with taken as materialized (
    select endpoint_id, event_id from webhook_delivery
    where endpoint_id = :endpointId and status = 'pending' and next_at <= :now
    order by next_at
    limit (select case when retry_at > :now or disabled_at is not null then 0 when failures > 0 then 1 else :limit end
           from webhook_endpoint where id = :endpointId)
    for update skip locked
  )
  update webhook_delivery as delivery set claim = :claim, attempts = attempts + 1, next_at = :leaseUntil
  from taken where delivery.endpoint_id = taken.endpoint_id and delivery.event_id = taken.event_id
  returning delivery.*`;

type Settled = Awaited<ReturnType<DeliveryStore['settle']>>;

async function settleFailure(
  database: Database,
  where: { endpoint_id: string; event_id: string; claim: string },
  outcome: Exclude<DeliveryOutcome, { status: 'delivered' }>,
): Promise<Settled> {
  const { status, at, nextAt, endpointRetryAt, httpStatus, error } = outcome;
  const settled = await database
    .sql('webhook_delivery')
    .where({ ...where, status: 'pending' })
    .update({
      status,
      claim: null,
      next_at: new Date(nextAt),
      http_status: httpStatus ?? null,
      error,
      ...(status === 'dead' && { settled_at: new Date(at), body: null }),
    });
  if (settled === 0) return undefined;
  const { rows } = await database.sql.raw<{ rows: { failures: number; failing_since: Date | null }[] }>(
    `update webhook_endpoint set failures = failures + 1, failing_since = coalesce(failing_since, :at),
       retry_at = greatest(retry_at, :retryAt)
     where id = :id returning failures, failing_since`,
    { id: where.endpoint_id, at: new Date(at), retryAt: new Date(endpointRetryAt) },
  );
  const [row] = rows;
  return row && { failures: row.failures, ...(row.failing_since && { failingSince: row.failing_since.getTime() }) };
}

/** Deliveries in table `webhook_delivery`. */
export const createSqlDeliveryStore = (database: Database): DeliveryStore => ({
  async add({ eventId, type, body, bodyWithPersonalData, createdAt, expiresAt }) {
    const moments = [new Date(createdAt), new Date(expiresAt)];
    await database.query(add, [eventId, type, body, bodyWithPersonalData, ...moments]);
  },

  async due(now) {
    const { rows } = await database.sql.raw<{ rows: { id: string }[] }>(due, { now: new Date(now) });
    return rows.map(({ id }) => id);
  },

  async claim({ now, leaseUntil, ...rest }) {
    const moments = { now: new Date(now), leaseUntil: new Date(leaseUntil) };
    const { rows } = await database.sql.raw<{ rows: Row[] }>(claim, { ...rest, ...moments });
    return rows.map(fromRow);
  },

  settle({ endpointId, eventId }, owner, outcome) {
    const where = { endpoint_id: endpointId, event_id: eventId };
    return database.transaction(async () => {
      if (outcome.status !== 'delivered') return settleFailure(database, { ...where, claim: owner }, outcome);
      const settled_at = new Date(outcome.at);
      await database.sql('webhook_delivery').where(where).whereIn('status', ['pending', 'dead']).update({
        status: 'delivered',
        settled_at,
        http_status: outcome.httpStatus,
        body: null,
        claim: null,
        error: null,
      });
      await database
        .sql('webhook_endpoint')
        .where({ id: endpointId })
        .where('failures', '>', 0)
        .update({ failures: 0, failing_since: null, retry_at: null });
      return { failures: 0 };
    });
  },

  async list({ endpointId, status, limit }) {
    const query = database.sql<Row>('webhook_delivery').where({ endpoint_id: endpointId });
    if (status !== undefined) query.where({ status });
    return (await query.orderBy('created_at', 'desc').orderBy('event_id').limit(limit)).map(fromRow);
  },

  async purge(now, before, limit) {
    await database
      .sql('webhook_delivery')
      .where({ status: 'pending' })
      .where('expires_at', '<=', new Date(now))
      .where('next_at', '<=', new Date(now))
      .update({
        status: 'dead',
        settled_at: new Date(now),
        body: null,
        claim: null,
        error: database.sql.raw("coalesce(error, 'It was not delivered in time.')"),
      });
    const old = database.sql('webhook_delivery').select('endpoint_id', 'event_id').limit(limit);
    old.where('settled_at', '<', new Date(before));
    return database.sql('webhook_delivery').whereIn(['endpoint_id', 'event_id'], old).delete();
  },
});
