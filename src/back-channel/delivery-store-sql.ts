import { asAccountId, asClientId, asSessionId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import { type DeliveryStatus, deliveriesOf, type LogoutDelivery } from './delivery.ts';
import type { DeliveryFilter, DeliveryStore, Outcome } from './delivery-store.ts';

interface Row {
  id: string;
  session_id: string;
  account_id: string;
  client_id: string;
  sid: string;
  reason: LogoutDelivery['reason'];
  status: DeliveryStatus;
  attempts: number;
  next_at: Date;
  created_at: Date;
  settled_at: Date | null;
  answer: number | null;
  error: string | null;
}

const fromRow = (row: Row): LogoutDelivery => ({
  id: row.id,
  sessionId: asSessionId(row.session_id),
  accountId: asAccountId(row.account_id),
  clientId: asClientId(row.client_id),
  sid: row.sid,
  reason: row.reason,
  status: row.status,
  attempts: row.attempts,
  createdAt: row.created_at.getTime(),
  ...(row.status === 'pending' && { nextAt: row.next_at.getTime() }),
  ...(row.settled_at && { settledAt: row.settled_at.getTime() }),
  ...(row.answer !== null && { answer: row.answer }),
  ...(row.error !== null && { error: row.error }),
});

// Most apps have no address to be told at, and cost nothing here but the look.
const add = statement(`
  insert into logout_delivery (id, session_id, account_id, client_id, sid, reason, status, next_at, created_at)
  select given.id, given."sessionId", given."accountId", given."clientId", given.sid, given.reason, 'pending',
         $2::timestamptz, $2::timestamptz
  from json_to_recordset($1::json) as given
    (id text, "sessionId" text, "accountId" text, "clientId" text, sid text, reason text)
  join client on client.id = given."clientId"
  where not client.disabled and client.metadata ->> 'backchannel_logout_uri' is not null
  on conflict (session_id, client_id) where status = 'pending' do nothing
  returning 1`);

// A browser that goes on is one whose protocol session is open again, for the same person.
const claim = `
  with due as materialized (
    select id from logout_delivery
    where status = 'pending' and next_at <= :now and client_id <> all (cast(:busy as text[]))
    order by next_at limit :limit for update skip locked
  )
  update logout_delivery as d set claim = :claim, attempts = attempts + 1, next_at = :leaseUntil
  from due where d.id = due.id
  returning d.*, exists (
    select 1 from session as ended join session as open
      on open.uid = ended.uid and open.account_id = ended.account_id and open.ended_at is null
    where ended.id = d.session_id) as goes_on`;

const changesOf = (outcome: Outcome): Record<string, unknown> => ({
  claim: null,
  answer: outcome.answer ?? null,
  error: outcome.error ?? null,
  ...(outcome.status === 'pending'
    ? { next_at: new Date(outcome.nextAt) }
    : { status: outcome.status, settled_at: new Date(outcome.at) }),
});

async function listRows(database: Database, filter: DeliveryFilter): Promise<LogoutDelivery[]> {
  const { clientId, accountId, status, after, limit } = filter;
  const query = database.sql<Row>('logout_delivery').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  if (clientId !== undefined) query.where({ client_id: clientId });
  if (accountId !== undefined) query.where({ account_id: accountId });
  if (status !== undefined) query.where({ status });
  if (after) query.whereRaw('(created_at, id) < (?, ?)', [new Date(after.createdAt), after.id]);
  return ((await query) as Row[]).map(fromRow);
}

/** Deliveries in table `logout_delivery`. */
export const createSqlDeliveryStore = (database: Database): DeliveryStore => ({
  async add(ended, now) {
    const given = ended.flatMap(deliveriesOf);
    if (given.length === 0) return 0;
    return (await database.query(add, [JSON.stringify(given), new Date(now)])).length;
  },

  async claim({ now, leaseUntil, busy, ...given }) {
    const values = { ...given, busy: [...busy], now: new Date(now), leaseUntil: new Date(leaseUntil) };
    const { rows } = await database.sql.raw<{ rows: (Row & { claim: string; goes_on: boolean })[] }>(
      claim,
      values as unknown as Record<string, string>,
    );
    return rows.map((row) => ({ ...fromRow(row), claim: row.claim, goesOn: row.goes_on }));
  },

  async settle({ id, claim: held }, outcome) {
    const query = database.sql('logout_delivery').where({ id, status: 'pending' });
    if (outcome.status !== 'delivered') query.where({ claim: held });
    await query.update(changesOf(outcome));
  },

  async find(id) {
    const row = (await database.sql<Row>('logout_delivery').where({ id }).first()) as Row | undefined;
    return row && fromRow(row);
  },

  list: (filter) => listRows(database, filter),

  async count() {
    const rows = (await database
      .sql('logout_delivery')
      .groupBy('status')
      .select('status', database.sql.raw('count(*)::integer as found'))) as { status: DeliveryStatus; found: number }[];
    return Object.fromEntries(rows.map(({ status, found }) => [status, found]));
  },

  async purge(before, limit) {
    const old = database.sql('logout_delivery').where('settled_at', '<', new Date(before)).limit(limit).select('id');
    return database.sql('logout_delivery').whereIn('id', old).delete();
  },
});
