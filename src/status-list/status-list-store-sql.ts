import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import { keyLength } from './status-entry.ts';
import type { StatusBlock, StatusListStore } from './status-list-store.ts';

const claim = statement(`
  with newest as (select id, seed from status_list order by created_at desc, id limit 1),
  claimed as (
    insert into status_block (list_id, block, claimed_at)
    select newest.id, free.n, $2::timestamptz from newest cross join lateral (
      select n from generate_series(0, $1::integer - 1) as n
      where not exists (select from status_block where list_id = newest.id and block = n)
      order by random() limit 1
    ) as free
    on conflict do nothing
    returning list_id, block
  )
  select claimed.list_id as "listId", newest.seed, claimed.block from claimed join newest on newest.id = claimed.list_id`);

const add = statement(`
  insert into status_entry (list_id, idx, token_key, client_id, grant_key, account_key, access_key, session_key,
    api_key, ancestors, issued_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)
  on conflict do nothing returning idx`);

/**
 * A revocation is new when its transaction was not over at the last look (as in revocation-store-sql.ts); clients are
 * few and say by their versions that one was changed or removed; of API keys the last end and the last rotation are known.
 */
const look = statement(`
  select pg_snapshot_xmin(now.snapshot)::text as xmin,
         exists (select from revocation where tx >= $1::text::xid8) or $1::text::xid8 > pg_snapshot_xmax(now.snapshot) as newer,
         (select count(*) || '.' || coalesce(sum(version), 0) from client) || '.' ||
           coalesce((select extract(epoch from max(revoked_at)) from api_key where revoked_at is not null), 0) || '.' ||
           coalesce((select extract(epoch from max(issued_at)) from api_key where previous_hash is not null), 0) as clients
  from (select pg_current_snapshot() as snapshot) as now`);

/** Kinds of revocation that end what was issued before them, and the column that names what they concern. */
const timed = { account: 'account_key', access: 'access_key', session: 'session_key', api: 'api_key' } as const;

const timedJoins = Object.entries(timed)
  .map(
    ([kind, column]) =>
      `left join live as of_${kind} on of_${kind}.kind = '${kind}' and of_${kind}.key = e.${column} and of_${kind}.revoked_at >= e.issued_at`,
  )
  .join('\n  ');

/**
 * One pass over the live entries, whatever the number of revocations: each join is a look into a hash table.
 * A key without a text is from before lineages had them, and any text begins with nothing.
 */
const findInvalid = `
  with live as (
    select kind, left(id_hash, ${keyLength}) as key, revoked_at from revocation where expires_at > :now
  ), usable as materialized (
    select id, left(translate(encode(sha256(convert_to(id, 'UTF8')), 'base64'), '+/', '-_'), ${keyLength}) as key
    from (select id from client where not disabled union all select unnest(cast(:builtIn as text[]))) as good
  ), derived as (
    select e.list_id, e.idx, e.issued_at, a.name
    from status_entry as e cross join lateral jsonb_array_elements_text(e.ancestors) as a (name)
    where e.expires_at > :now and e.ancestors is not null
  ), orphaned as (
    select distinct d.list_id, d.idx
    from derived as d
    left join live on live.kind || ':' || live.key = d.name and (live.kind = 'token' or live.revoked_at >= d.issued_at)
    left join usable on 'client:' || usable.key = d.name
    left join api_key as k on 'key:' || k.id = split_part(d.name, '.', 1) and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > :now)
      and (starts_with(k.hash, split_part(d.name, '.', 2))
        or k.previous_until > :now and starts_with(k.previous_hash, split_part(d.name, '.', 2)))
    where live.key is not null or (d.name like 'client:%' and usable.id is null) or (d.name like 'key:%' and k.id is null)
  )
  select e.list_id as "listId", e.idx
  from status_entry as e
  left join usable on usable.id = e.client_id
  left join orphaned on orphaned.list_id = e.list_id and orphaned.idx = e.idx
  left join live as of_client on of_client.kind = 'client' and of_client.key = usable.key and of_client.revoked_at >= e.issued_at
  left join live as of_token on of_token.kind = 'token' and of_token.key = e.token_key
  left join live as of_grant on of_grant.kind = 'grant' and of_grant.key = e.grant_key
  ${timedJoins}
  where e.expires_at > :now
    and (usable.id is null or orphaned.idx is not null or e.issued_at <= (select max(revoked_at) from live where kind = 'everything') or of_client.key is not null or of_token.key is not null or of_grant.key is not null
      or ${Object.keys(timed)
        .map((kind) => `of_${kind}.key is not null`)
        .join(' or ')})`;

/**
 * Status lists in tables `status_list`, `status_block` and `status_entry`.
 * @param builtIn ids of clients that stand in no table
 */
export const createSqlStatusListStore = (database: Database, builtIn: readonly string[] = []): StatusListStore => ({
  async claimBlock(blocks, now) {
    const [row] = await database.query<StatusBlock>(claim, [blocks, new Date(now)]);
    return row;
  },

  async createList({ id, seed, createdAt }) {
    await database.sql('status_list').insert({ id, seed, created_at: new Date(createdAt) });
  },

  async add(entry) {
    const { listId, idx, tokenKey, clientId, grantKey, accountKey, accessKey, sessionKey, apiKey } = entry;
    const ancestors = entry.ancestors && JSON.stringify(entry.ancestors);
    const times = [new Date(entry.issuedAt), new Date(entry.expiresAt)];
    const values = [
      listId,
      idx,
      tokenKey,
      clientId,
      grantKey,
      accountKey,
      accessKey,
      sessionKey,
      apiKey,
      ancestors,
      ...times,
    ];
    return (await database.query(add, values)).length > 0;
  },

  async mark(before) {
    const [xmin = '0', clients] = before?.split(' ') ?? [];
    const [row] = await database.query<{ xmin: string; newer: boolean; clients: string }>(look, [xmin]);
    if (!row) throw new Error('The database did not say which transaction is the oldest.');
    return {
      mark: `${row.xmin} ${row.clients}`,
      changed: before === undefined || row.newer || row.clients !== clients,
    };
  },

  async picture(now) {
    const lists = (await database.sql('status_list').orderBy('created_at').select('id')) as { id: string }[];
    const found = await database.sql.raw<{ rows: { listId: string; idx: number }[] }>(findInvalid, {
      now: new Date(now),
      builtIn: `{${builtIn.map((id) => `"${id}"`).join(',')}}`,
    });
    return { lists: lists.map(({ id }) => id), invalid: found.rows };
  },

  async purgeEntries(now, limit) {
    const expired = database
      .sql('status_entry')
      .where('expires_at', '<=', new Date(now))
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .select('list_id', 'idx');
    return database.sql('status_entry').whereIn(['list_id', 'idx'], expired).delete();
  },

  async purgeLists(before) {
    const result = await database.sql.raw<{ rows: { id: string }[] }>(
      `delete from status_list as l
       where l.created_at < :before
         and exists (select from status_list as n where (n.created_at, l.id) > (l.created_at, n.id))
         and not exists (select from status_entry where list_id = l.id)
         and not exists (select from status_block where list_id = l.id and claimed_at >= :before)
       returning l.id`,
      { before: new Date(before) },
    );
    const ids = result.rows.map(({ id }) => id);
    if (ids.length > 0) await database.sql('status_block').whereIn('list_id', ids).delete();
    return ids.length;
  },
});
