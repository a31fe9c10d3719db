import { asAccountId, asClientId } from '../shared/ids.ts';
import { type Database, isUniqueViolation } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { ApiKey, KeyOwner } from './api-key.ts';
import type { ApiKeyStore, IssuedBefore, KeyFilter, Rotation, StoredKey } from './api-key-store.ts';

interface Row {
  id: string;
  account_id: string | null;
  client_id: string | null;
  name: string;
  audience: string;
  scopes: string[];
  rate_limit: number | null;
  hash: string;
  previous_hash: string | null;
  previous_until: Date | null;
  created_at: Date;
  issued_at: Date;
  expires_at: Date | null;
  first_used_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

const fromRow = (row: Row): ApiKey => ({
  id: row.id,
  owner:
    row.account_id === null
      ? { kind: 'client', id: asClientId(row.client_id ?? '') }
      : { kind: 'account', id: asAccountId(row.account_id) },
  name: row.name,
  audience: row.audience,
  scopes: row.scopes,
  createdAt: row.created_at.getTime(),
  issuedAt: row.issued_at.getTime(),
  ...(row.rate_limit !== null && { rateLimit: row.rate_limit }),
  ...(row.expires_at && { expiresAt: row.expires_at.getTime() }),
  ...(row.previous_until && { previousUntil: row.previous_until.getTime() }),
  ...(row.last_used_at && { lastUsedAt: row.last_used_at.getTime() }),
  ...(row.revoked_at && { revokedAt: row.revoked_at.getTime() }),
});

const stored = (row: Row): StoredKey => ({
  key: fromRow(row),
  hash: row.hash,
  used: row.first_used_at !== null,
  ...(row.previous_hash !== null && { previousHash: row.previous_hash }),
});

const dateOf = (moment: number | undefined): Date | null => (moment === undefined ? null : new Date(moment));
const ownerColumn = ({ kind }: KeyOwner): 'account_id' | 'client_id' =>
  kind === 'account' ? 'account_id' : 'client_id';

const findKey = statement('select * from api_key where id = $1');

/** The owner's row is locked, so that many at the same moment are counted one after the other. */
async function insert(database: Database, key: ApiKey, hash: string, most: number) {
  return database.transaction(async () => {
    const { sql } = database;
    const { kind, id } = key.owner;
    const owner = await sql(kind).where({ id }).forNoKeyUpdate().first('id');
    if (!owner) return 'no-owner';
    const column = ownerColumn(key.owner);
    const live = (await sql('api_key')
      .where({ [column]: id })
      .whereNull('revoked_at')
      .where((open) => open.whereNull('expires_at').orWhere('expires_at', '>', new Date(key.createdAt)))
      .count({ found: '*' })
      .first()) as { found: string } | undefined;
    if (Number(live?.found ?? 0) >= most) return 'too-many';
    await sql('api_key').insert({
      id: key.id,
      [column]: id,
      name: key.name,
      audience: key.audience,
      scopes: JSON.stringify(key.scopes),
      rate_limit: key.rateLimit ?? null,
      hash,
      created_at: new Date(key.createdAt),
      issued_at: new Date(key.issuedAt),
      expires_at: dateOf(key.expiresAt),
    });
    return 'stored';
  });
}

async function list(database: Database, { owner, limit, after }: KeyFilter): Promise<ApiKey[]> {
  const query = database.sql<Row>('api_key').orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  if (owner) query.where(ownerColumn(owner), owner.id);
  if (after) query.whereRaw('(created_at, id) < (?, ?)', [new Date(after.at), after.id]);
  return ((await query) as Row[]).map(fromRow);
}

async function rotate(database: Database, rotation: Rotation): Promise<boolean> {
  const { id, from, to, now, notSince, previousUntil, expiresAt } = rotation;
  const moment = new Date(now);
  const changed = await database
    .sql('api_key')
    .where({ id, hash: from })
    .whereNull('revoked_at')
    .where((open) => open.whereNull('expires_at').orWhere('expires_at', '>', moment))
    .where((calm) => calm.whereNull('previous_hash').orWhere('issued_at', '<=', new Date(notSince)))
    .update({
      previous_hash: from,
      previous_until: new Date(previousUntil),
      hash: to,
      issued_at: moment,
      expires_at: dateOf(expiresAt),
    });
  return changed === 1;
}

async function revokeIssuedBefore(
  database: Database,
  { issuedBefore, audience }: IssuedBefore,
  now: number,
): Promise<ApiKey[]> {
  const moment = new Date(issuedBefore);
  const open = () => {
    const query = database.sql<Row>('api_key').whereNull('revoked_at').where('created_at', '<=', moment);
    return audience === undefined ? query : query.where({ audience });
  };
  return database.transaction(async () => {
    const ended = await open()
      .where('issued_at', '<=', moment)
      .update({ revoked_at: new Date(now) })
      .returning('*');
    // When the secret before was made is not kept, only that it may be so old.
    await open()
      .where('previous_until', '>', new Date(now))
      .update({ previous_until: new Date(now) });
    return (ended as Row[]).map(fromRow);
  });
}

const usesText = `
  with given as (select * from json_to_recordset(:uses::json) as g (id text, at timestamptz)),
  before as (
    select k.id, k.first_used_at is null as is_first from api_key k join given using (id) order by k.id for update of k
  )
  update api_key set
    first_used_at = coalesce(api_key.first_used_at, given.at),
    last_used_at = greatest(api_key.last_used_at, given.at)
  from given join before using (id) where api_key.id = given.id
  returning api_key.id, before.is_first`;

/** API keys in table `api_key`. */
export const createSqlApiKeyStore = (database: Database): ApiKeyStore => ({
  transaction: (work) => database.transaction(work),

  async insert(key, hash, most) {
    try {
      return await insert(database, key, hash, most);
    } catch (error) {
      // 80 random bits that are taken are no accident; the caller may try again with others.
      if (isUniqueViolation(error)) throw new Error('The id of a new API key is taken.', { cause: error });
      throw error;
    }
  },

  async find(id) {
    const [row] = await database.query<Row>(findKey, [id]);
    return row && stored(row);
  },

  list: (filter) => list(database, filter),
  rotate: (rotation) => rotate(database, rotation),

  async revoke(which, now) {
    if ('issuedBefore' in which) return revokeIssuedBefore(database, which, now);
    const where = 'id' in which ? { id: which.id } : { account_id: which.accountId };
    const rows = await database
      .sql('api_key')
      .where(where)
      .whereNull('revoked_at')
      .update({ revoked_at: new Date(now) })
      .returning('*');
    return (rows as Row[]).map(fromRow);
  },

  async noteUses(uses) {
    const given = JSON.stringify([...uses].map(([id, at]) => ({ id, at: new Date(at) })));
    const { rows } = (await database.sql.raw(usesText, { uses: given })) as {
      rows: { id: string; is_first: boolean }[];
    };
    return rows.filter(({ is_first: first }) => first).map(({ id }) => id);
  },

  async purge(before, limit) {
    const over = database
      .sql('api_key')
      .whereRaw('least(revoked_at, expires_at) < ?', [new Date(before)])
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .select('id');
    return database.sql('api_key').whereIn('id', over).delete();
  },
});
