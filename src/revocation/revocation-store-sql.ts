import { holdAccess } from '../accounts/hold-access-sql.ts';
import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';
import type { ListedRevocation, RevocationKind, StoredRevocation } from './revocation.ts';
import type { RevocationFilter, RevocationStore } from './revocation-store.ts';

interface Row {
  kind: RevocationKind;
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

/** What nodes listen to; there is no more to it than that something is new. */
export const revocationChannel = 'sallyport_revoked';

const add = `
  insert into revocation as old (kind, id_hash, revoked_at, expires_at, reason, revoked_by)
  values (?, ?, ?, ?, ?, ?)
  on conflict (kind, id_hash) do update
    set revoked_at = greatest(old.revoked_at, excluded.revoked_at),
        expires_at = greatest(old.expires_at, excluded.expires_at),
        reason = excluded.reason,
        revoked_by = excluded.revoked_by,
        tx = pg_current_xact_id()
    where excluded.expires_at > old.expires_at
       or (excluded.revoked_at > old.revoked_at and old.kind not in ('token', 'grant'))
  returning 1`;

// It goes out when the transaction is committed, and once however many rows it adds.
const addAndTell = `with added as (${add}) select pg_notify('${revocationChannel}', '') from added`;

const lastEnd = statement("select revoked_at from revocation where kind = 'account' and id_hash = $1");

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

type ListedRow = Row & { reason: string; revoked_by: string; seen: string };

async function listRows(
  database: Database,
  { kind, idHash, after, limit }: RevocationFilter,
  now: number,
): Promise<ListedRevocation[]> {
  const query = database
    .sql('revocation')
    .where('expires_at', '>', new Date(now))
    .orderByRaw('tx desc, kind desc, id_hash desc')
    .limit(limit);
  if (kind !== undefined) query.where({ kind });
  if (idHash !== undefined) query.where({ id_hash: idHash });
  const [, tx, lastKind, lastHash] = /^(\d{1,20})\.([a-z]+)\.([\w-]+)$/.exec(after ?? '') ?? [];
  if (tx !== undefined) {
    query.whereRaw('(tx, kind, id_hash) < (cast(? as text)::xid8, ?, ?)', [tx, lastKind ?? '', lastHash ?? '']);
  }
  const rows: ListedRow[] = await query.select(
    'kind',
    'id_hash',
    'revoked_at',
    'expires_at',
    'reason',
    'revoked_by',
    database.sql.raw('tx::text as seen'),
  );
  return rows.map((row) => ({
    ...fromRow(row),
    reason: row.reason,
    by: row.revoked_by,
    cursor: `${row.seen}.${row.kind}.${row.id_hash}`,
  }));
}

/**
 * Revocations in table `revocation`. The watermark is the oldest transaction that was still running: whatever is
 * older has been seen, and what commits late is found by the next look.
 */
export const createSqlRevocationStore = (database: Database): RevocationStore => ({
  transaction: (work) => database.transaction(work),

  whenUndone(undo) {
    currentUnitOfWork()?.onRollback.push(async () => undo());
  },

  async add({ kind, idHash, revokedAt, expiresAt, reason, by }) {
    // The embedded database has one process, so there is nobody to tell.
    const result = await database.sql.raw<{ rows: unknown[] }>(database.kind === 'postgres' ? addAndTell : add, [
      kind,
      idHash,
      new Date(revokedAt),
      new Date(expiresAt),
      reason,
      by,
    ]);
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

  async lastEndOf(idHash) {
    const [row] = await database.query<Pick<Row, 'revoked_at'>>(lastEnd, [idHash]);
    return row?.revoked_at.getTime() ?? 0;
  },

  hold: (accountId) => holdAccess(database, accountId),

  async since(watermark, now) {
    const page = await readSince(database, watermark ?? '0', now);
    return page.ahead
      ? { ...(await readSince(database, '0', now)), complete: true }
      : { ...page, complete: watermark === undefined };
  },

  list: (filter, now) => listRows(database, filter, now),

  async count(now) {
    const rows = (await database
      .sql('revocation')
      .where('expires_at', '>', new Date(now))
      .groupBy('kind')
      .select('kind', database.sql.raw('count(*)::integer as found'))) as { kind: RevocationKind; found: number }[];
    return Object.fromEntries(rows.map(({ kind, found }) => [kind, found]));
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
