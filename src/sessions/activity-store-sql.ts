import type { Database } from '../storage/database.ts';
import { activityInterval } from './session.ts';
import type { ActivityStore } from './session-store.ts';

// The condition stands twice: it is asked again of the row that is written, when two come at the same moment.
const touchText = `
  with found as (
    select id, ended_at, last_active_at,
      expires_at > :now and (kind = 'api' or last_active_at > :idleSince) as fresh
    from session where uid = :uid order by ended_at desc nulls first limit 1
  ), written as (
    update session set last_active_at = :now, last_ip = coalesce(:ip, session.last_ip)
    from found
    where session.id = found.id and found.fresh and found.last_active_at <= :dueAt
      and session.ended_at is null and session.last_active_at <= :dueAt
  )
  select fresh, ended_at from found`;

// Ending a session waits for this lock or is seen by it, so no grant slips in behind an end.
const grantText = (column: 'uid' | 'id'): string => `
  with open as (select id from session where ${column} = :key and ended_at is null for share)
  insert into session_client as c (session_id, client_id, grant_id, first_used_at, last_used_at)
  select open.id, given.client_id, given.grant_id, :now, :now
  from open, unnest(cast(:clientIds as text[]), cast(:grantIds as text[])) as given (client_id, grant_id)
  on conflict (session_id, client_id, grant_id) do update set
    last_used_at = greatest(c.last_used_at, excluded.last_used_at)
  returning 1`;

const dueText = `
  select id, expires_at > :now as idle from session
  where ended_at is null and (expires_at <= :now or (kind = 'browser' and last_active_at <= :idleSince))
  limit :limit`;

/** The use of sessions, in tables `session` and `session_client`. */
export function createSqlActivityStore(database: Database): ActivityStore {
  const rowsOf = async <T>(text: string, values: Record<string, unknown>): Promise<T[]> =>
    ((await database.sql.raw(text, values as Record<string, string>)) as { rows: T[] }).rows;

  return {
    async touch(uid, { now, idleSince, ip }) {
      const [row] = await rowsOf<{ fresh: boolean; ended_at: Date | null }>(touchText, {
        uid,
        ip: ip ?? null,
        now: new Date(now),
        idleSince: new Date(idleSince),
        dueAt: new Date(now - activityInterval),
      });
      return row && { fresh: row.fresh, endedAt: row.ended_at?.getTime() };
    },

    async addGrants(sessionKey, grants, now) {
      if (grants.length === 0) return true;
      await database.join();
      const [column, key] = 'uid' in sessionKey ? (['uid', sessionKey.uid] as const) : (['id', sessionKey.id] as const);
      const rows = await rowsOf(grantText(column), {
        key,
        clientIds: grants.map(({ clientId }) => clientId),
        grantIds: grants.map(({ grantId }) => grantId),
        now: new Date(now),
      });
      return rows.length > 0;
    },

    listDue: (now, idleSince, limit) => rowsOf(dueText, { now: new Date(now), idleSince: new Date(idleSince), limit }),
  };
}
