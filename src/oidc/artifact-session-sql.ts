import type { Database } from '../storage/database.ts';
import { rowsOf } from './artifact-rows-sql.ts';
import type { SessionBackend } from './artifact-session-store.ts';

// A session is a row of kind Session, by its uid. Each cookie id that opens it is a row of kind SessionId.

interface Row {
  readonly id_hash: string;
  readonly payload: string | null;
  readonly version: number;
  readonly alias: boolean;
}

const findByIdText = `
  select s.id_hash, s.payload, s.version, p.alias from artifact p
  join artifact s on s.kind = 'Session' and s.id_hash = p.session_hash and s.binding = p.binding
  where p.kind = 'SessionId' and p.id_hash = :idHash and p.expires_at > :now and s.expires_at > :now`;

const findByUidText = `
  select id_hash, payload, version, false as alias from artifact
  where kind = 'Session' and id_hash = :uidHash and expires_at > :now`;

// A row without payload was ended, and takes no other before it has expired. An alias never opens again for good.
const saveText = `
  with session as (
    insert into artifact (kind, id_hash, payload, binding, account_id, expires_at)
    values ('Session', :uidHash, :payload, :binding, :accountId, :expiresAt)
    on conflict (kind, id_hash) do update set payload = excluded.payload, binding = excluded.binding,
      account_id = excluded.account_id, expires_at = excluded.expires_at, version = artifact.version + 1
    where (artifact.version = :version and artifact.payload is not null) or artifact.expires_at <= :now
    returning version
  ), opened as (
    insert into artifact (kind, id_hash, session_hash, binding, account_id, expires_at)
    select 'SessionId', :idHash, :uidHash, :binding, :accountId, cast(:expiresAt as timestamptz) from session
    where cast(:idHash as text) is not null
    on conflict (kind, id_hash) do update set binding = excluded.binding, account_id = excluded.account_id,
      expires_at = excluded.expires_at
    where not artifact.alias and artifact.session_hash = excluded.session_hash
  ), left_behind as (
    update artifact set alias = true, expires_at = least(expires_at, :aliasUntil)
    where kind = 'SessionId' and id_hash = :leavingHash and exists (select 1 from session)
  )
  select version from session`;

// The session is locked before the id that leads to it, as a save does: the other way round they wait for each other.
const endText = `
  with target as (
    select session.id_hash from artifact id
    join artifact session on session.kind = 'Session' and session.id_hash = id.session_hash
    where id.kind = 'SessionId' and id.id_hash = :idHash
    for update of session
  ), pointer as (
    delete from artifact
    where kind = 'SessionId' and id_hash = :idHash and (select count(*) from target) >= 0
    returning session_hash, account_id
  )
  update artifact set payload = null, version = version + 1
  where kind = 'Session' and id_hash = (select session_hash from pointer)
    and account_id is not distinct from (select account_id from pointer)`;

/** Sessions in table `artifact`, each operation one statement. */
export function createSqlSessionBackend(database: Database): SessionBackend {
  const find = async (text: string, values: Record<string, unknown>) => {
    const [row] = await rowsOf<Row>(database, text, values);
    return row && { uidHash: row.id_hash, payload: row.payload, version: row.version, alias: row.alias };
  };

  return {
    findById: (idHash, now) => find(findByIdText, { idHash, now: new Date(now) }),
    findByUid: (uidHash, now) => find(findByUidText, { uidHash, now: new Date(now) }),

    async save({ accountId, idHash, leavingHash, now, expiresAt, aliasUntil, ...write }) {
      await database.join();
      const [saved] = await rowsOf<{ version: number }>(database, saveText, {
        ...write,
        accountId: accountId ?? null,
        idHash: idHash ?? null,
        leavingHash: leavingHash ?? null,
        now: new Date(now),
        expiresAt: new Date(expiresAt),
        aliasUntil: new Date(aliasUntil),
      });
      return saved?.version;
    },

    async end(idHash) {
      await database.join();
      await rowsOf(database, endText, { idHash });
    },
  };
}
