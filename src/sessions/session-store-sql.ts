import type { DeviceType } from '../devices/index.ts';
import { asAccountId, asClientId, asSessionId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
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

type Ended = Pick<Row, 'id' | 'account_id' | 'uid'>;

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

const byUid = `select session.*, ${clients} from session where uid = ? order by ended_at desc nulls first limit 1`;

// Whoever sets `ended_at` has ended it; everybody else finds nothing to return.
const endText = `
  update session set ended_at = :now, ended_reason = :reason, ended_by = :by
  where id = any (array(select id from session where id = any (cast(:ids as text[])) order by id for update))
    and ended_at is null
  returning id, account_id, uid`;

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

    async lock(accountId) {
      await rowsOf('select pg_advisory_xact_lock(hashtextextended(cast(? as text), 0))', [`session ${accountId}`]);
    },

    async insert(session) {
      await database.sql('session').insert(toRow(session));
    },

    async find(key) {
      if ('uid' in key) {
        const [row] = await rowsOf<Row>(byUid, [key.uid]);
        return row && fromRow(row);
      }
      const [column, value] = 'id' in key ? ['id', key.id] : ['flow_hash', key.flowHash];
      const [row] = await rowsOf<Row>(`select session.*, ${clients} from session where ${column} = ?`, [value]);
      return row && fromRow(row);
    },

    async listOpen(accountId) {
      const rows = await rowsOf<Row>(
        `select session.*, ${clients} from session where account_id = ? and ended_at is null
         order by created_at desc, id`,
        [accountId],
      );
      return rows.map(fromRow);
    },

    async bind(id, uid, { amr, acr, authenticatedAt, expiresAt, now }) {
      const bound: number = await database
        .sql('session')
        .where({ id })
        .whereNull('ended_at')
        .where((either) => either.whereNull('uid').orWhere({ uid }))
        .update({
          uid,
          amr: JSON.stringify(amr),
          acr: acr ?? null,
          authenticated_at: new Date(authenticatedAt),
          last_active_at: new Date(now),
          expires_at: new Date(expiresAt),
        });
      return bound === 1;
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
