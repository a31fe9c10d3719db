import type { Database } from '../storage/database.ts';
import type { OutboxMail, OutboxStatus, OutboxStore, Outcome } from './outbox-store.ts';

interface Row {
  id: string;
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

const columns = 'id, template, recipient, data, status, attempts, claim, created_at, expires_at, error';

const fromRow = (row: Row): OutboxMail => ({
  id: row.id,
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

/** The outbox in table `outbox`. */
export const createSqlOutboxStore = (database: Database): OutboxStore => ({
  transaction: (work) => database.transaction(work),

  async add({ id, template, to, capKey, account, data, dedupeKey, createdAt, expiresAt, cap }) {
    // One at a time for each mailbox and template, until the commit: else 50 at once would all see a free place.
    await database.sql.raw('select pg_advisory_xact_lock(hashtextextended(?, 727542))', [`${template} ${capKey}`]);
    const { rows } = await database.sql.raw<{ rows: { status: 'pending' | 'capped' | 'refused' }[] }>(
      `with verdict as (
         select case
           when cast(:max as integer) is null then 'refused'
           when (select count(*) from outbox where cap_key = :capKey and template = :template
                 and created_at > :since and status not in ('capped', 'refused')) < :max then 'pending'
           else 'capped' end as status
       )
       insert into outbox (id, template, recipient, cap_key, account_id, data, dedupe_key, status, next_at, created_at,
                           expires_at, settled_at)
       select :id, :template, :to, :capKey, :account, case when status <> 'capped' then :data end, :dedupeKey, status,
              :createdAt, :createdAt, :expiresAt, case status when 'pending' then null else cast(:createdAt as timestamptz) end
       from verdict
       on conflict (dedupe_key) do nothing
       returning status`,
      {
        id,
        template,
        to,
        capKey,
        account: account ?? null,
        data,
        dedupeKey: dedupeKey ?? null,
        max: cap?.max ?? null,
        since: new Date(createdAt - (cap?.windowSeconds ?? 0) * 1000),
        createdAt: new Date(createdAt),
        expiresAt: new Date(expiresAt),
      },
    );
    return rows[0]?.status ?? 'duplicate';
  },

  async claim(claim, limit, now, leaseUntil) {
    const { rows } = await database.sql.raw<{ rows: Row[] }>(
      `with due as materialized (
         select id from outbox where status = 'pending' and next_at <= :now
         order by next_at limit :limit for update skip locked
       )
       update outbox set claim = :claim, attempts = attempts + 1, next_at = :leaseUntil
       from due where outbox.id = due.id
       returning outbox.${columns.replaceAll(', ', ', outbox.')}`,
      { claim, limit, now: new Date(now), leaseUntil: new Date(leaseUntil) },
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
