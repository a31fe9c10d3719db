import type { Knex } from 'knex';
import type { Database } from '../storage/database.ts';
import { type AuditFilter, escapeLike, groupAsked, namelessActors } from './audit-filter.ts';
import type { AuditPage, AuditPlace, AuditReader } from './audit-reader.ts';
import { type AuditTableRow, fromRow } from './audit-store-sql.ts';

// Walks the index (subject, at desc); only rows of one moment are sorted by their id.
const text = `
  select * from audit_event
  where subject = :subject and type = any (cast(:types as text[]))
    and at <= coalesce(cast(:at as timestamptz), 'infinity')
    and (cast(:at as timestamptz) is null or at < cast(:at as timestamptz) or id < cast(:id as text))
  order by at desc, id desc
  limit :limit`;

/** Rows with a text that a page looks through; details have no index. */
const mostLookedAt = 10_000;

type Rows = Knex.QueryBuilder<AuditTableRow, AuditTableRow[]>;

/** By the indexes that there are: most of what an account does is about itself, and a client's own rows name it. */
function byActor(rows: Rows, actor: string): void {
  if (namelessActors.has(actor)) {
    rows.where('actor_kind', actor);
    return;
  }
  rows.whereRaw(
    `((subject = :actor and actor_id = :actor)
      or (actor_id = :actor and actor_kind = 'account' and subject is distinct from actor_id)
      or (client_id = :actor and actor_id = :actor and actor_kind = 'client'))`,
    { actor },
  );
}

/** The types in the log that begin with a word: a jump along the index (type, at) for each, however many rows there are. */
async function typesOf(database: Database, group: string): Promise<string[]> {
  const { rows } = await database.sql.raw<{ rows: { type: string }[] }>(
    `with recursive known as (
       (select type from audit_event order by type limit 1)
       union all
       select (select type from audit_event where type > known.type order by type limit 1)
       from known where known.type is not null)
     select type from known where type like ?`,
    [`${escapeLike(group)}.%`],
  );
  return rows.map(({ type }) => type);
}

function matching(database: Database, filter: AuditFilter, types: readonly string[] | undefined): Rows {
  const rows = database.sql<AuditTableRow>('audit_event') as Rows;
  const { actor, type, from, to } = filter;
  const same = {
    subject: filter.subject,
    outcome: filter.outcome,
    client_id: filter.clientId,
    ip: filter.ip,
    request_id: filter.requestId,
    session_id: filter.sessionId,
  };
  for (const [column, value] of Object.entries(same)) if (value !== undefined) rows.where(column, value);
  if (actor !== undefined) byActor(rows, actor);
  if (types) rows.whereIn('type', [...types]);
  else if (type !== undefined) rows.where('type', type);
  if (from !== undefined) rows.where('at', '>=', new Date(from));
  if (to !== undefined) rows.where('at', '<', new Date(to));
  return rows;
}

/** What comes after a place. The first condition is what the index is walked by. */
function beyond(rows: Rows, place: AuditPlace, sign: '<' | '>'): void {
  const at = new Date(place.at);
  rows.whereRaw(`at ${sign}= ? and (at ${sign} ? or id ${sign} ?)`, [at, at, place.id]);
}

const placeOf = ({ id, at }: AuditTableRow): AuditPlace => ({ id, at: at.getTime() });

async function search(
  database: Database,
  filter: AuditFilter,
  { after, limit, oldestFirst = false }: Parameters<AuditReader['search']>[1],
): Promise<AuditPage> {
  const order = oldestFirst ? 'asc' : 'desc';
  const group = filter.type === undefined ? undefined : groupAsked(filter.type);
  const types = group === undefined ? undefined : await typesOf(database, group);
  const inOrder = (rows: Rows): Rows => rows.orderBy('at', order).orderBy('id', order);
  const candidates = (): Rows => {
    const rows = matching(database, filter, types);
    if (after) beyond(rows, after, oldestFirst ? '>' : '<');
    return inOrder(rows);
  };
  if (filter.text === undefined) {
    const found = (await candidates().limit(limit + 1)) as AuditTableRow[];
    const rows = found.slice(0, limit);
    const last = found.length > limit ? rows.at(-1) : undefined;
    return { rows: rows.map(fromRow), ...(last && { next: placeOf(last) }) };
  }
  const pattern = `%${escapeLike(filter.text)}%`;
  const looked = candidates().limit(mostLookedAt).as('looked');
  const found = (await inOrder(database.sql.from(looked) as Rows)
    .whereRaw('details::text ilike ?', [pattern])
    .limit(limit)) as AuditTableRow[];
  const [edge] = (await candidates()
    .offset(mostLookedAt - 1)
    .limit(1)) as AuditTableRow[];
  const last = found.length === limit ? found.at(-1) : edge;
  return { rows: found.map(fromRow), ...(last && { next: placeOf(last) }) };
}

/** Reads table `audit_event`. */
export const createSqlAuditReader = (database: Database): AuditReader => ({
  async listOf(subject, { types, before, limit }) {
    const { rows } = await database.sql.raw<{ rows: AuditTableRow[] }>(text, {
      subject,
      types: [...types] as unknown as string,
      at: (before ? new Date(before.at) : null) as unknown as string,
      id: before?.id ?? '',
      limit,
    });
    return rows.map(fromRow);
  },

  async find(id) {
    const row = (await database.sql('audit_event').where({ id }).first()) as AuditTableRow | undefined;
    return row && fromRow(row);
  },

  search: (filter, page) => search(database, filter, page),
});
