import type { Database } from '../storage/database.ts';
import type { StoredRevocation } from './revocation.ts';
import type { RevocationStore } from './revocation-store.ts';

interface Row {
  kind: StoredRevocation['kind'];
  id_hash: string;
  revoked_at: Date;
  expires_at: Date;
}

const fromRow = (row: Row): StoredRevocation => ({
  kind: row.kind,
  idHash: row.id_hash,
  revokedAt: row.revoked_at.getTime(),
  expiresAt: row.expires_at.getTime(),
});

/** One statement, so that the rows and the next watermark come from one snapshot. */
async function readSince(database: Database, watermark: string, now: number) {
  const result = await database.sql.raw<{ rows: (Partial<Row> & { next: string; ahead: boolean })[] }>(
    `with mark as (select pg_current_snapshot() as now)
     select pg_snapshot_xmin(mark.now)::text as next,
            cast(? as text)::xid8 > pg_snapshot_xmax(mark.now) as ahead,
            kind, id_hash, revoked_at, expires_at
     from mark left join revocation on tx >= cast(? as text)::xid8 and expires_at > ?`,
    [watermark, watermark, new Date(now)],
  );
  const [first] = result.rows;
  if (!first) throw new Error('The database did not say which transaction is the oldest.');
  const rows = result.rows.filter((row): row is Row & typeof row => row.kind !== null).map(fromRow);
  return { rows, watermark: first.next, ahead: first.ahead };
}

/**
 * Revocations in table `revocation`. The watermark is the oldest transaction that was still running: whatever is
 * older has been seen, and what commits late is found by the next look.
 */
export const createSqlRevocationStore = (database: Database): RevocationStore => ({
  transaction: (work) => database.transaction(work),

  async add({ kind, idHash, revokedAt, expiresAt, reason, by }) {
    const result = await database.sql.raw<{ rows: unknown[] }>(
      `insert into revocation as old (kind, id_hash, revoked_at, expires_at, reason, revoked_by)
       values (?, ?, ?, ?, ?, ?)
       on conflict (kind, id_hash) do update
         set revoked_at = greatest(old.revoked_at, excluded.revoked_at),
             expires_at = greatest(old.expires_at, excluded.expires_at),
             tx = pg_current_xact_id()
         where excluded.expires_at > old.expires_at
            or (excluded.revoked_at > old.revoked_at and old.kind in ('account', 'client', 'session', 'access'))
       returning 1`,
      [kind, idHash, new Date(revokedAt), new Date(expiresAt), reason, by],
    );
    return result.rows.length > 0;
  },

  async find(keys) {
    const rows = await database
      .sql<Row>('revocation')
      .whereIn(
        ['kind', 'id_hash'],
        keys.map(({ kind, idHash }) => [kind, idHash]),
      )
      .select('kind', 'id_hash', 'revoked_at', 'expires_at');
    return (rows as Row[]).map(fromRow);
  },

  async since(watermark, now) {
    const page = await readSince(database, watermark ?? '0', now);
    return page.ahead
      ? { ...(await readSince(database, '0', now)), complete: true }
      : { ...page, complete: watermark === undefined };
  },

  async purge(now, limit) {
    const expired = database
      .sql('revocation')
      .where('expires_at', '<=', new Date(now))
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .select('kind', 'id_hash');
    return database.sql('revocation').whereIn(['kind', 'id_hash'], expired).delete();
  },
});
