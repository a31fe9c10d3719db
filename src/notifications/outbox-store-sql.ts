import type { Database } from '../storage/database.ts';
import type { Added, Channel, NewOutboxMail, OutboxMail, OutboxStatus, OutboxStore, Outcome } from './outbox-store.ts';

interface Row {
  id: string;
  channel: Channel;
  template: string;
  recipient: string;
  data: string | null;
  status: OutboxStatus;
  attempts: number;
  claim: string | null;
  created_at: Date;
  expires_at: Date;
  error: string | null;
}

const columns = 'id, channel, template, recipient, data, status, attempts, claim, created_at, expires_at, error';

const fromRow = (row: Row): OutboxMail => ({
  id: row.id,
  channel: row.channel,
  template: row.template,
  to: row.recipient,
  status: row.status,
  attempts: row.attempts,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  ...(row.data !== null && { data: row.data }),
  ...(row.claim !== null && { claim: row.claim }),
  ...(row.error !== null && { error: row.error }),
});

function changesOf(outcome: Outcome): Record<string, unknown> {
  if (outcome.status === 'pending') return { next_at: new Date(outcome.nextAt), claim: null, error: outcome.error };
  const settled = { status: outcome.status, settled_at: new Date(outcome.at), claim: null };
  if (outcome.status === 'dead') return { ...settled, error: outcome.error };
  return { ...settled, error: null, ...(!outcome.keepData && { data: null }) };
}

// Sorted, so that two transactions that need the same two locks never wait for each other.
const lock = `
  select pg_advisory_xact_lock(key)
  from (select hashtextextended(name, 727542) as key from unnest(:names::text[]) as name order by 1 offset 0) as keys`;

const add = `
  with verdict as (
    select case
      when cast(:max as integer) is null then 'refused'
      when (select count(*) from outbox where template = :template and channel = :channel and created_at > :since
            and (cap_key = :capKey or account_id = :account)
            and status not in ('capped', 'refused')) >= :max then 'capped'
      when (select count(*) from outbox where template = any(:together::text[]) and created_at > :togetherSince
            and cap_key = :capKey and status not in ('capped', 'refused')) >= cast(:togetherMax as integer) then 'capped'
      else 'pending' end as status,
      (select count(*) from outbox where template = :template and channel = :channel and created_at > :since
       and (cap_key = :capKey or account_id = :account) and status = 'capped') as suppressed
  )
  insert into outbox (id, channel, template, recipient, cap_key, account_id, data, dedupe_key, status, next_at, created_at,
                      expires_at, settled_at)
  select :id, :channel, :template, :to, :capKey, :account, case when status <> 'capped' then :data end, :dedupeKey, status,
         :createdAt, :createdAt, :expiresAt, case status when 'pending' then null else cast(:createdAt as timestamptz) end
  from verdict
  on conflict (dedupe_key) do nothing
  returning status, (select suppressed from verdict) as suppressed`;

const windowStart = (now: number, cap: { readonly windowSeconds: number } | undefined): Date =>
  new Date(now - (cap?.windowSeconds ?? 0) * 1000);

async function addMessage(database: Database, message: NewOutboxMail): Promise<Added> {
  const { capKey, account, dedupeKey, createdAt, expiresAt, cap, shared, ...rest } = message;
  // One at a time for each mailbox and account, until the commit: else 50 at once would all see a free place.
  const names = [`box ${capKey}`, ...(account === undefined ? [] : [`account ${account}`])];
  await database.sql.raw(lock, { names });
  const { rows } = await database.sql.raw<{ rows: { status: Added['status']; suppressed: string | number }[] }>(add, {
    ...rest,
    capKey,
    account: account ?? null,
    dedupeKey: dedupeKey ?? null,
    max: cap?.max ?? null,
    since: windowStart(createdAt, cap),
    together: [...(shared?.templates ?? [])],
    togetherMax: shared?.max ?? null,
    togetherSince: windowStart(createdAt, shared),
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
  });
  const [row] = rows;
  return row ? { status: row.status, suppressed: Number(row.suppressed) } : { status: 'duplicate', suppressed: 0 };
}

/** The outbox in table `outbox`. */
export const createSqlOutboxStore = (database: Database): OutboxStore => ({
  transaction: (work) => database.transaction(work),
  add: (message) => addMessage(database, message),

  async claim({ claim, channel, limit, now, leaseUntil }) {
    const { rows } = await database.sql.raw<{ rows: Row[] }>(
      `with due as materialized (
         select id from outbox where status = 'pending' and channel = :channel and next_at <= :now
         order by next_at limit :limit for update skip locked
       )
       update outbox set claim = :claim, attempts = attempts + 1, next_at = :leaseUntil
       from due where outbox.id = due.id
       returning outbox.${columns.replaceAll(', ', ', outbox.')}`,
      { claim, channel, limit, now: new Date(now), leaseUntil: new Date(leaseUntil) },
    );
    return rows.map(fromRow);
  },

  async settle({ id, claim }, outcome) {
    const query = database.sql('outbox').where({ id, status: 'pending' });
    if (outcome.status !== 'sent') query.where({ claim: claim ?? null });
    await query.update(changesOf(outcome));
  },

  async list(limit) {
    const { rows } = await database.sql.raw<{ rows: Row[] }>(
      `select ${columns} from outbox order by created_at desc, id limit ?`,
      [limit],
    );
    return rows.map(fromRow);
  },

  async find(id) {
    const row = await database.sql<Row>('outbox').where({ id }).first();
    return row && fromRow(row);
  },

  async purge(now, before, limit) {
    const expired = await database
      .sql('outbox')
      .where({ status: 'pending' })
      .where('expires_at', '<=', new Date(now))
      .whereRaw('(claim is null or next_at <= ?)', [new Date(now)])
      .update({ status: 'dead', settled_at: new Date(now), claim: null, error: 'It was not sent in time.' });
    const old = database.sql('outbox').where('settled_at', '<', new Date(before)).limit(limit).select('id');
    return expired + (await database.sql('outbox').whereIn('id', old).delete());
  },

  async removeOf(account) {
    await database.sql('outbox').where({ account_id: account }).delete();
  },
});
