import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import { activityInterval } from './session.ts';
import type { ActivityStore } from './session-store.ts';

// From another address nothing is written: whether it may be is decided by what is found here.
const touchBy = (column: 'uid' | 'id') =>
  statement(`
  with found as (
    select id, account_id, ended_at, last_active_at, last_ip,
      expires_at > $2 and (kind = 'api' or last_active_at > $3) as fresh
    from session where ${column} = $1 order by ended_at desc nulls first limit 1
  ), written as (
    update session set last_active_at = $2, last_ip = coalesce(session.last_ip, $5::text)
    from found
    where session.id = found.id and found.fresh and session.ended_at is null and session.last_active_at <= $4
      and coalesce(session.last_ip = $5::text, true)
  )
  select fresh, ended_at, id, account_id, last_active_at, last_ip from found`);
const touchByUid = touchBy('uid');
const touchById = touchBy('id');

// Asked again of the row that is written, so that one of those who come at the same moment has moved it.
const moveTo = statement(`
  update session set last_active_at = greatest(last_active_at, $2::timestamptz), last_ip = $3
  where id = $1 and ended_at is null and last_ip is distinct from $3
  returning 1`);

// Ending a session waits for this lock or is seen by it, so no grant slips in behind an end.
const grantTo = (column: 'uid' | 'id') =>
  statement(`
  with open as (select id from session where ${column} = $1 and ended_at is null for share)
  insert into session_client as c (session_id, client_id, grant_id, first_used_at, last_used_at)
  select distinct open.id, given."clientId", given."grantId", $2::timestamptz, $2::timestamptz
  from open, json_to_recordset($3::json) as given ("clientId" text, "grantId" text)
  on conflict (session_id, client_id, grant_id) do update set
    last_used_at = greatest(c.last_used_at, excluded.last_used_at)
  returning 1`);
const grantToUid = grantTo('uid');
const grantToId = grantTo('id');

const dueText = `
  select id, expires_at > :now as idle from session
  where ended_at is null and (expires_at <= :now or (kind = 'browser' and last_active_at <= :idleSince))
  limit :limit`;

interface TouchedRow {
  readonly fresh: boolean;
  readonly ended_at: Date | null;
  readonly id: string;
  readonly account_id: AccountId;
  readonly last_active_at: Date;
  readonly last_ip: string | null;
}

/** The use of sessions, in tables `session` and `session_client`. */
export function createSqlActivityStore(database: Database): ActivityStore {
  const rowsOf = async <T>(text: string, values: Record<string, unknown>): Promise<T[]> =>
    ((await database.sql.raw(text, values as Record<string, string>)) as { rows: T[] }).rows;

  return {
    async touch(useKey, { now, idleSince, ip }) {
      const [by, key] = 'uid' in useKey ? [touchByUid, useKey.uid] : [touchById, useKey.id];
      const [row] = await database.query<TouchedRow>(by, [
        key,
        new Date(now),
        new Date(idleSince),
        new Date(now - activityInterval),
        ip ?? null,
      ]);
      return (
        row && {
          fresh: row.fresh,
          endedAt: row.ended_at?.getTime(),
          id: row.id,
          accountId: row.account_id,
          before: { at: row.last_active_at.getTime(), ip: row.last_ip ?? undefined },
        }
      );
    },

    async move(id, { now, ip }) {
      return (await database.query(moveTo, [id, new Date(now), ip])).length > 0;
    },

    async addGrants(sessionKey, grants, now) {
      if (grants.length === 0) return true;
      await database.join();
      const [to, key] = 'uid' in sessionKey ? [grantToUid, sessionKey.uid] : [grantToId, sessionKey.id];
      const rows = await database.query(to, [key, new Date(now), JSON.stringify(grants)]);
      return rows.length > 0;
    },

    async listSignedInBefore(moment, limit) {
      const text = 'select id from session where ended_at is null and authenticated_at <= :moment limit :limit';
      return (await rowsOf<{ id: string }>(text, { moment: new Date(moment), limit })).map(({ id }) => id);
    },

    listDue: (now, idleSince, limit) => rowsOf(dueText, { now: new Date(now), idleSince: new Date(idleSince), limit }),
  };
}
