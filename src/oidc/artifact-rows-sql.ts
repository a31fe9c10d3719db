import type { Clock } from '../shared/clock.ts';
import type { Database } from '../storage/database.ts';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import type { KindName } from './artifact-kind.ts';
import type { PayloadCodec } from './artifact-payload.ts';
import type { RequestFacts } from './artifact-request.ts';
import type { RefreshPolicy } from './artifact-store.ts';

/** What the SQL stores of all kinds are made of. */
export interface SqlArtifactParts {
  readonly database: Database;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly policy: RefreshPolicy;
  readonly request: RequestFacts;
}

export interface TokenRow {
  readonly id_hash: string;
  readonly payload: string;
  readonly client_id: string | null;
  readonly consumed_at: Date | null;
  readonly renewed_at: Date | null;
  readonly contended: boolean;
  readonly successor_hash: string | null;
}

const queues = new WeakMap<UnitOfWork, Promise<unknown>>();

/** Runs a statement and returns its rows. */
export async function rowsOf<Row>(database: Database, text: string, values: Record<string, unknown>): Promise<Row[]> {
  const run = async (): Promise<Row[]> => {
    const result: unknown = await database.sql.raw(text, values as Record<string, string>);
    return (result as { rows: Row[] }).rows;
  };
  const unit = currentUnitOfWork();
  if (!unit?.transaction) return run();
  // A connection takes one statement at a time, and the library revokes with several calls at once.
  const rows = (queues.get(unit) ?? Promise.resolve()).then(run, run);
  queues.set(unit, rows);
  return rows;
}

const columns = 'id_hash, payload, client_id, consumed_at, renewed_at, contended, successor_hash';

/** The row of an artifact that is there and has not expired. */
export async function findRow(
  { database, clock }: SqlArtifactParts,
  kind: KindName,
  by: { readonly idHash?: string; readonly userCodeHash?: string },
): Promise<TokenRow | undefined> {
  const column = by.idHash === undefined ? 'user_code_hash' : 'id_hash';
  const [row] = await rowsOf<TokenRow>(
    database,
    `select ${columns} from artifact
     where kind = :kind and ${column} = :value and expires_at > :now and payload is not null`,
    { kind, value: by.idHash ?? by.userCodeHash, now: new Date(clock.now()) },
  );
  return row;
}

// The locks come first and in one order, so that two revocations of a grant cannot wait for each other.
const lockGrantText = 'select 1 from artifact where grant_hash = :grantHash order by kind, id_hash for update';
/** Deletes every token and code of a grant, and leaves the grant. */
export async function revokeGrant(database: Database, grantHash: string): Promise<void> {
  await rowsOf(
    database,
    `with locked as (${lockGrantText})
     delete from artifact where grant_hash = :grantHash and (select count(*) from locked) >= 0`,
    { grantHash },
  );
}

/** Ends a grant for good: every token of it and the grant itself. */
export async function endGrant(database: Database, grantHash: string): Promise<void> {
  await rowsOf(
    database,
    `with locked as (${lockGrantText}),
          revoked as (delete from artifact where grant_hash = :grantHash and (select count(*) from locked) >= 0)
     update artifact set payload = null where kind = 'Grant' and id_hash = :grantHash`,
    { grantHash },
  );
}

// The first one marks it used, everyone later marks that there were two: the answer to each is in `contended`.
const consumeText = `
  update artifact set contended = consumed_at is not null, consumed_at = coalesce(consumed_at, :now)
  where kind = :kind and id_hash = :idHash and payload is not null and expires_at > :now
  returning contended, grant_hash, client_id`;

export interface Claim {
  readonly contended: boolean;
  readonly grant_hash: string | null;
  readonly client_id: string | null;
}

/** Marks an artifact used, in one conditional write. `contended` tells the loser; undefined means it is not there. */
export async function claim(parts: SqlArtifactParts, kind: KindName, idHash: string): Promise<Claim | undefined> {
  const [row] = await rowsOf<Claim>(parts.database, consumeText, { kind, idHash, now: new Date(parts.clock.now()) });
  return row;
}
