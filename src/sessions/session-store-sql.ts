import { holdAccess } from '../accounts/hold-access-sql.ts';
import type { DeviceType } from '../devices/index.ts';
import { asAccountId, asClientId, asSessionId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { statement, unanswered } from '../storage/statement.ts';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';
import type { EndedSession, EndReason, SessionKind, StoredSession } from './session.ts';
import type { NewSession, SessionStore } from './session-store.ts';

interface Row {
  id: string;
  account_id: string;
  kind: SessionKind;
  uid: string | null;
  device_hash: string | null;
  browser: string | null;
  os: string | null;
  device_type: DeviceType;
  ip: string | null;
  last_ip: string | null;
  location: string | null;
  amr: string[];
  acr: string | null;
  created_at: Date;
  authenticated_at: Date;
  last_active_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  client_ids: string[] | null;
}

type Ended = Pick<Row, 'id' | 'account_id' | 'uid' | 'ended_at'>;

const fromRow = (row: Row): StoredSession => ({
  id: asSessionId(row.id),
  accountId: asAccountId(row.account_id),
  kind: row.kind,
  type: row.device_type,
  amr: row.amr,
  createdAt: row.created_at.getTime(),
  authenticatedAt: row.authenticated_at.getTime(),
  lastActiveAt: row.last_active_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  clientIds: (row.client_ids ?? []).map(asClientId),
  ...(row.uid !== null && { uid: row.uid }),
  ...(row.device_hash !== null && { deviceHash: row.device_hash }),
  ...(row.browser !== null && { browser: row.browser }),
  ...(row.os !== null && { os: row.os }),
  ...(row.ip !== null && { ip: row.ip }),
  ...(row.last_ip !== null && { lastIp: row.last_ip }),
  ...(row.location !== null && { location: row.location }),
  ...(row.acr !== null && { acr: row.acr }),
  ...(row.ended_at && { endedAt: row.ended_at.getTime() }),
});

const toRow = (session: NewSession) => ({
  id: session.id,
  account_id: session.accountId,
  kind: session.kind,
  flow_hash: session.flowHash ?? null,
  uid: session.uid ?? null,
  device_hash: session.deviceHash ?? null,
  browser: session.browser ?? null,
  os: session.os ?? null,
  device_type: session.type,
  ip: session.ip ?? null,
  last_ip: session.lastIp ?? null,
  location: session.location ?? null,
  amr: JSON.stringify(session.amr),
  acr: session.acr ?? null,
  created_at: new Date(session.createdAt),
  authenticated_at: new Date(session.authenticatedAt),
  last_active_at: new Date(session.lastActiveAt),
  expires_at: new Date(session.expiresAt),
});

const clients = `(select array_agg(c.client_id order by c.last_used_at desc, c.client_id) from (
  select client_id, max(last_used_at) as last_used_at from session_client
  where session_id = session.id group by client_id) c) as client_ids`;

const select = `select session.*, ${clients} from session where`;
const byId = statement(`${select} id = $1`);
const byFlow = statement(`${select} flow_hash = $1`);
const byUid = statement(`${select} uid = $1 order by ended_at desc nulls first limit 1`);
const byGrant = statement(`${select} account_id = $1 and ended_at is null and exists (
  select 1 from session_client c where c.session_id = session.id and c.client_id = coalesce($2, c.client_id) and c.grant_id = $3)
  order by created_at desc limit 1`);
const openOf = statement(`${select} account_id = $1 and ended_at is null order by created_at desc, id`);

const columns = [
  ...['id', 'account_id', 'kind', 'flow_hash', 'uid', 'device_hash', 'browser', 'os', 'device_type', 'ip', 'last_ip'],
  ...['location', 'amr', 'acr', 'created_at', 'authenticated_at', 'last_active_at', 'expires_at'],
] as const;
const add = unanswered(`insert into session (${columns.join(', ')})
  values (${columns.map((name, index) => (name === 'amr' ? `$${index + 1}::jsonb` : `$${index + 1}`)).join(', ')})`);

// The row that is written is locked, so no grant slips in behind an end.
const bindText = (condition: string, result: string) => `
  with bound as (
    update session set uid = $2, amr = $3::jsonb, acr = $4, authenticated_at = $5, last_active_at = $6, expires_at = $7
    where ${condition} and ended_at is null
    returning id
  ), added as (
    insert into session_client as c (session_id, client_id, grant_id, first_used_at, last_used_at)
    select distinct bound.id, given."clientId", given."grantId", $6::timestamptz, $6::timestamptz
    from bound, json_to_recordset($8::json) as given ("clientId" text, "grantId" text)
    on conflict (session_id, client_id, grant_id) do update set
      last_used_at = greatest(c.last_used_at, excluded.last_used_at)
  )
  select ${result} from bound`;
const first =
  'flow_hash = $1 and account_id = $9 and uid is null and not exists (select from session as other where other.uid = $2)';
const bindTo = statement(bindText('id = $1 and (uid is null or uid = $2)', 'id'));
const bindFirst = statement(bindText(first, 'id'));
// For a row of this same transaction there is nothing to learn: the binding goes with the commit, and breaks it should
// there, against all expectation, be no such row.
const bindOwn = unanswered(bindText(first, '1 / count(*)'));

/** Under this name a unit of work has the sign-in whose session it made, and holds the lock of its account. */
const madeHere = 'session.made';

// Whoever sets `ended_at` has ended it; everybody else finds nothing to return.
const endText = `
  update session set ended_at = greatest(cast(:now as timestamptz), authenticated_at), ended_reason = :reason, ended_by = :by
  where id = any (array(select id from session where id = any (cast(:ids as text[])) order by id for update))
    and ended_at is null
  returning id, account_id, uid, ended_at`;

async function withGrants(database: Database, ended: readonly Ended[], reason: EndReason): Promise<EndedSession[]> {
  const ids = ended.map(({ id }) => id);
  const grants = (await database
    .sql('session_client')
    .whereIn('session_id', ids)
    .select('session_id', 'client_id', 'grant_id')) as { session_id: string; client_id: string; grant_id: string }[];
  return ended.map((row) => ({
    id: asSessionId(row.id),
    accountId: asAccountId(row.account_id),
    reason,
    ...(row.ended_at && { endedAt: row.ended_at.getTime() }),
    grants: grants
      .filter(({ session_id }) => session_id === row.id)
      .map(({ client_id, grant_id }) => ({ clientId: client_id, grantId: grant_id })),
    ...(row.uid !== null && { uid: row.uid }),
  }));
}

/** Sessions in table `session`, with their grants in `session_client`. */
export function createSqlSessionStore(database: Database): SessionStore {
  const rowsOf = async <T>(text: string, values: unknown): Promise<T[]> =>
    ((await database.sql.raw(text, values as string[])) as { rows: T[] }).rows;

  return {
    async transaction(work) {
      // Inside a request that has a unit of work, its transaction is the one to be in.
      await database.join();
      return database.transaction(work);
    },

    async lock(accountId, { flowHash, uid, open = false }) {
      const none = Promise.resolve([]);
      // Each statement sees what was committed before it began, and those after the lock begin when it was given.
      const [, ofFlow, ofUid, all] = await database.together(() =>
        Promise.all([
          holdAccess(database, accountId),
          flowHash === undefined ? none : database.query<Row>(byFlow, [flowHash]),
          uid === undefined ? none : database.query<Row>(byUid, [uid]),
          open ? database.query<Row>(openOf, [accountId]) : none,
        ]),
      );
      const first = ([row]: readonly Row[]): StoredSession | undefined => row && fromRow(row);
      return { ofFlow: first(ofFlow), ofUid: first(ofUid), open: all.map(fromRow) };
    },

    async insert(session) {
      const row = toRow(session);
      if (session.flowHash !== undefined) currentUnitOfWork()?.notes.set(madeHere, session.flowHash);
      await database.query(
        add,
        columns.map((name) => row[name]),
      );
    },

    async find(key) {
      if ('grantId' in key) {
        const [held] = await database.query<Row>(byGrant, [key.accountId, key.clientId ?? null, key.grantId]);
        return held && fromRow(held);
      }
      const [by, value] = 'uid' in key ? [byUid, key.uid] : 'id' in key ? [byId, key.id] : [byFlow, key.flowHash];
      const [row] = await database.query<Row>(by, [value]);
      return row && fromRow(row);
    },

    async listOpen(accountId) {
      return (await database.query<Row>(openOf, [accountId])).map(fromRow);
    },

    async bind(session, uid, { amr, acr = null, authenticatedAt, expiresAt, now, grants }) {
      const times = [new Date(authenticatedAt), new Date(now), new Date(expiresAt)];
      const values = [uid, JSON.stringify(amr), acr, ...times, JSON.stringify(grants)];
      if (typeof session === 'string') return (await database.query(bindTo, [session, ...values])).length > 0;
      const { accountId, flowHash } = session;
      if (currentUnitOfWork()?.notes.get(madeHere) === flowHash) {
        await database.query(bindOwn, [flowHash, ...values, accountId]);
        return true;
      }
      const [, bound] = await database.together(() =>
        Promise.all([holdAccess(database, accountId), database.query(bindFirst, [flowHash, ...values, accountId])]),
      );
      return bound.length > 0;
    },

    async end(ids, { reason, by, now }) {
      if (ids.length === 0) return [];
      const ended = await rowsOf<Ended>(endText, {
        ids: [...ids],
        reason,
        by,
        now: new Date(now),
      });
      // A later statement, so that it sees the grants of a request that was ahead of us.
      return withGrants(database, ended, reason);
    },

    async purge(before, limit) {
      const rows = await rowsOf(
        `delete from session where id = any (array(
           select id from session where ended_at <= ? limit ? for update skip locked)) returning 1`,
        [new Date(before), limit],
      );
      return rows.length;
    },
  };
}
