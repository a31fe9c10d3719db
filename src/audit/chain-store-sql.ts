import type { Database } from '../storage/database.ts';
import type { ChainedEvent } from './chain.ts';
import type { ChainState, ChainStore, Seal } from './chain-store.ts';

/** Of the advisory lock: one node at a time seals and cuts. */
const lockKey = 727_542;
const page = 5_000;

const eventColumns = `
  e.id, (extract(epoch from e.at) * 1000000)::bigint::text as at, e.type, e.outcome, e.actor_kind, e.actor_id, e.subject,
  e.client_id, e.session_id, e.request_id, e.ip, e.user_agent, e.details`;

interface EventRow {
  id: string;
  at: string;
  type: string;
  outcome: string;
  actor_kind: string;
  actor_id: string | null;
  subject: string | null;
  client_id: string | null;
  session_id: string | null;
  request_id: string | null;
  ip: string | null;
  user_agent: string | null;
  details: unknown;
}

const asEvent = (row: EventRow): ChainedEvent => ({
  id: row.id,
  at: row.at,
  type: row.type,
  outcome: row.outcome,
  actorKind: row.actor_kind,
  actorId: row.actor_id,
  subject: row.subject,
  clientId: row.client_id,
  sessionId: row.session_id,
  requestId: row.request_id,
  ip: row.ip,
  userAgent: row.user_agent,
  details: row.details,
});

interface SealRow {
  number: string;
  event_id: string;
  salt: string | null;
  personal: string;
  hash: string;
}

const sealColumns = `s.number::text as number, s.event_id, encode(s.salt, 'hex') as salt,
  encode(s.personal, 'hex') as personal, encode(s.hash, 'hex') as hash`;

// Two conditions, because the index has (tx, at) only; the place up to which all is sealed is read once.
const beyond = `(e.tx, e.at) >= ((select tx from audit_chain), (select at from audit_chain))
  and (e.tx, e.at, e.id) > ((select tx from audit_chain), (select at from audit_chain), (select event_id from audit_chain))`;

/**
 * A copy of the database on another server counts transactions from another number: what is sealed may then seem to be
 * ahead of what is new. Everything is looked through again, and what has a link is passed over.
 */
async function startOver(database: Database): Promise<void> {
  const { rows } = await database.sql.raw<{ rows: { ahead: boolean }[] }>(
    'select tx > pg_snapshot_xmax(pg_current_snapshot()) as ahead from audit_chain',
  );
  if (rows[0]?.ahead !== true) return;
  for (;;) {
    const { rowCount } = await database.sql.raw<{ rowCount: number | null }>(
      `update audit_event set tx = '3' where id in (
         select id from audit_event where tx > pg_snapshot_xmax(pg_current_snapshot()) limit ?)`,
      [page],
    );
    if ((rowCount ?? 0) < page) break;
  }
  await database.sql.raw(`update audit_chain set tx = '0', at = '-infinity', event_id = ''`);
}

async function readState(database: Database): Promise<ChainState> {
  const { rows } = await database.sql.raw<{
    rows: { number: string; hash: string; sealed_at: Date | null; start_number: string; start_hash: string }[];
  }>(`select number::text as number, encode(hash, 'hex') as hash, sealed_at,
        start_number::text as start_number, encode(start_hash, 'hex') as start_hash from audit_chain`);
  const [row] = rows;
  if (!row) throw new Error('Table audit_chain has lost its row.');
  return {
    head: { number: Number(row.number), hash: row.hash },
    start: { number: Number(row.start_number), hash: row.start_hash },
    ...(row.sealed_at && { sealedAt: row.sealed_at.getTime() }),
  };
}

async function append(database: Database, seals: readonly Seal[], upTo: string, now: number): Promise<void> {
  const rows = seals.map(({ number, eventId, salt, personal, hash }) => ({
    number,
    event_id: eventId,
    salt: salt === null ? null : `\\x${salt}`,
    personal: `\\x${personal}`,
    hash: `\\x${hash}`,
  }));
  await database.sql.raw(
    `insert into audit_seal (number, event_id, salt, personal, hash)
     select number, event_id, salt, personal, hash from jsonb_to_recordset(cast(? as jsonb))
       as given(number bigint, event_id text, salt bytea, personal bytea, hash bytea)`,
    [JSON.stringify(rows)],
  );
  const last = seals.at(-1);
  const head = last ? `number = :number, hash = decode(:hash, 'hex'), sealed_at = :now,` : '';
  await database.sql.raw(
    `update audit_chain set ${head} tx = e.tx, at = e.at, event_id = e.id from audit_event e where e.id = :upTo`,
    { upTo, ...(last && { number: last.number, hash: last.hash, now: new Date(now) }) },
  );
}

/** The first number whose event comes after this one, which has none. */
const following = `(select min(s.number) from (
    select n.id from audit_event n where (n.tx, n.at) >= (e.tx, e.at) and (n.tx, n.at, n.id) > (e.tx, e.at, e.id)
    order by n.tx, n.at, n.id limit 10) later join audit_seal s on s.event_id = later.id)`;

async function unsealed(database: Database, afterId: string, limit: number) {
  const { rows } = await database.sql.raw<{
    rows: { id: string; last: string | null; total: number; before: string | null }[];
  }>(
    `with part as materialized (select e.id, e.tx, e.at from audit_event e where e.id > :afterId order by e.id limit :limit),
          size as (select count(*)::int as total, max(id) as last from part)
     select e.id, size.last, size.total, ${following}::text as before
     from size left join part e on not exists (select from audit_seal s where s.event_id = e.id) and not (${beyond})`,
    { afterId, limit },
  );
  const [first] = rows;
  const inserted = rows
    .filter(({ id }) => id !== null)
    .map(({ id, before }) => ({ eventId: id, before: Number(before ?? 0) }));
  return { inserted, ...(first?.last && first.total === limit && { next: first.last }) };
}

/** The chain in tables `audit_seal` and `audit_chain`, over the rows of `audit_event`. */
export const createSqlChainStore = (database: Database): ChainStore => ({
  exclusively: (work) =>
    database.transaction(async () => {
      const { rows } = await database.sql.raw<{ rows: { mine: boolean }[] }>(
        'select pg_try_advisory_xact_lock(?) as mine',
        [lockKey],
      );
      return rows[0]?.mine === true ? work() : undefined;
    }),

  state: () => readState(database),

  // Without waiting for an erasure that has some of them: each could wait for the other. The next turn finds them.
  async settled(limit) {
    await startOver(database);
    const { rows } = await database.sql.raw<{ rows: (EventRow & { sealed: boolean })[] }>(
      `select ${eventColumns}, exists (select from audit_seal s where s.event_id = e.id) as sealed
       from audit_event e
       where ${beyond} and e.tx < pg_snapshot_xmin(pg_current_snapshot())
       order by e.tx, e.at, e.id limit ? for share of e nowait`,
      [limit],
    );
    return rows.map((row) => ({ event: asEvent(row), sealed: row.sealed }));
  },

  append: (seals, upTo, now) => append(database, seals, upTo, now),

  async links(after, limit) {
    const { rows } = await database.sql.raw<{ rows: (SealRow & { [Key in keyof EventRow]: EventRow[Key] | null })[] }>(
      `select ${sealColumns}, ${eventColumns} from audit_seal s left join audit_event e on e.id = s.event_id
       where s.number > ? order by s.number limit ?`,
      [after, limit],
    );
    return rows.map((row) => ({
      number: Number(row.number),
      eventId: row.event_id,
      salt: row.salt,
      personal: row.personal,
      hash: row.hash,
      event: row.id === null ? null : asEvent(row as EventRow),
    }));
  },

  unsealed: (afterId, limit) => unsealed(database, afterId, limit),

  async waiting(atMost) {
    const { rows } = await database.sql.raw<{ rows: { count: number; since: Date | null }[] }>(
      `select count(*)::int as count, min(at) as since
       from (select e.at from audit_event e where ${beyond} order by e.tx, e.at limit ?) as waits`,
      [atMost],
    );
    return { count: rows[0]?.count ?? 0, ...(rows[0]?.since && { since: rows[0].since.getTime() }) };
  },

  async cut({ number, hash }) {
    await database.sql.raw(
      `with cut as (delete from audit_seal where number <= :number returning event_id),
            gone as (delete from audit_event where id in (select event_id from cut))
       update audit_chain set start_number = :number, start_hash = decode(:hash, 'hex')`,
      { number, hash },
    );
  },
});
