import { errors } from 'oidc-provider';
import type { Clock } from '../shared/clock.ts';
import { type SecretRing, sha256 } from '../shared/crypto.ts';
import type { Database } from '../storage/database.ts';
import { type Kind, type KindName, kindOf, mayBe } from './artifact-kind.ts';
import { createPayloadCodec, grantHashOf, type PayloadCodec, secondsToKeep } from './artifact-payload.ts';
import { currentRotation, noteMisuse } from './artifact-refresh.ts';
import { createRefreshStore } from './artifact-refresh-sql.ts';
import { createReplayStore } from './artifact-replay-sql.ts';
import { providerRequest, type RequestFacts } from './artifact-request.ts';
import { createSqlSessionBackend } from './artifact-session-sql.ts';
import { createSessionStore } from './artifact-session-store.ts';
import type { ArtifactPayload, ArtifactStore, ArtifactStores, RefreshPolicy } from './artifact-store.ts';

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

/** Runs a statement and returns its rows. */
export async function rowsOf<Row>(database: Database, text: string, values: Record<string, unknown>): Promise<Row[]> {
  const result: unknown = await database.sql.raw(text, values as Record<string, string>);
  return (result as { rows: Row[] }).rows;
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

// A grant that was ended stays as a row without payload until it would have expired, and takes nothing new.
const upsertText = `
  insert into artifact (kind, id_hash, payload, grant_hash, user_code_hash, client_id, account_id, consumed_at, expires_at)
  select :kind, :idHash, :payload, :grantHash, :userCodeHash, :clientId, :accountId, cast(:consumedAt as timestamptz), cast(:expiresAt as timestamptz)
  where not exists (select 1 from artifact where kind = 'Grant' and id_hash = :grantHash and payload is null)
  on conflict (kind, id_hash) do update set
    payload = excluded.payload, grant_hash = excluded.grant_hash, user_code_hash = excluded.user_code_hash,
    client_id = excluded.client_id, account_id = excluded.account_id, expires_at = excluded.expires_at,
    consumed_at = coalesce(artifact.consumed_at, excluded.consumed_at)
  where artifact.payload is not null or artifact.expires_at <= :now`;

// The locks come first and in one order, so that two revocations of a grant cannot wait for each other.
const lockGrantText = 'select 1 from artifact where grant_hash = :grantHash order by kind, id_hash for update';
const revokeText = `
  with locked as (${lockGrantText})
  delete from artifact where grant_hash = :grantHash and (select count(*) from locked) >= 0`;

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

function createTokenStore(kind: Kind & { name: KindName }, parts: SqlArtifactParts): ArtifactStore {
  const { database, codec, clock } = parts;
  const read = (row: TokenRow | undefined, id?: string): ArtifactPayload | undefined =>
    row &&
    codec.unpack(kind, row.id_hash, row.payload, {
      ...(id !== undefined && { id }),
      consumedAt: row.consumed_at?.getTime(),
    });

  return {
    async upsert(id, payload, expiresIn) {
      const idHash = sha256(id);
      const now = clock.now();
      await database.join();
      await rowsOf(database, upsertText, {
        kind: kind.name,
        idHash,
        payload: codec.pack(kind, idHash, payload),
        grantHash: grantHashOf(kind, payload) ?? null,
        userCodeHash: payload.userCode === undefined ? null : codec.hashUserCode(payload.userCode),
        clientId: payload.clientId ?? null,
        accountId: payload.accountId ?? null,
        consumedAt: payload.consumed ? new Date(now) : null,
        expiresAt: new Date(now + secondsToKeep(kind, expiresIn) * 1000),
        now: new Date(now),
      });
      const rotation = currentRotation();
      if (kind.name === 'RefreshToken' && rotation) rotation.successorHash = idHash;
    },

    async find(id) {
      return mayBe(kind, id) ? read(await findRow(parts, kind.name, { idHash: sha256(id) }), id) : undefined;
    },

    findByUid: async () => undefined,

    async findByUserCode(userCode) {
      return read(await findRow(parts, kind.name, { userCodeHash: codec.hashUserCode(userCode) }));
    },

    async consume(id) {
      await database.join();
      const claimed = await claim(parts, kind.name, sha256(id));
      if (claimed && !claimed.contended) return;
      const clientId = claimed?.client_id ?? undefined;
      if (claimed?.grant_hash) await endGrant(database, claimed.grant_hash);
      if (claimed) noteMisuse({ kind: kind.name, clientId, revoked: claimed.grant_hash !== null });
      if (kind.name === 'PushedAuthorizationRequest')
        throw new errors.InvalidRequestUri('request_uri was already used');
      throw new errors.InvalidGrant(`${kind.name} was already used`);
    },

    async destroy(id) {
      await database.join();
      const key = { kind: kind.name, id_hash: sha256(id) };
      if (kind.name === 'Grant') await database.sql('artifact').where(key).update({ payload: null });
      else await database.sql('artifact').where(key).delete();
    },

    async revokeByGrantId(grantId) {
      await database.join();
      await rowsOf(database, revokeText, { grantHash: sha256(grantId) });
    },
  };
}

export interface SqlArtifactStores extends ArtifactStores {
  /** Deletes up to `limit` expired rows and says how many; several nodes may do so at once. */
  purgeExpired(limit: number): Promise<number>;
}

/** Keeps artifacts in table `artifact`. In a unit of work all its writes are one transaction. */
export function createSqlArtifactStores(options: {
  readonly database: Database;
  readonly secrets: SecretRing;
  readonly clock: Clock;
  readonly policy: RefreshPolicy;
  readonly request?: RequestFacts;
}): SqlArtifactStores {
  const { database, secrets, clock, policy, request = providerRequest } = options;
  const parts: SqlArtifactParts = { database, codec: createPayloadCodec(secrets), clock, policy, request };

  const stores = (model: string): ArtifactStore => {
    const kind = kindOf(model);
    const store = createTokenStore(kind, parts);
    switch (kind.name) {
      case 'RefreshToken':
        return createRefreshStore(kind, store, parts);
      case 'ReplayDetection':
        return createReplayStore(store, parts);
      case 'Session':
        return createSessionStore(createSqlSessionBackend(database), parts);
      default:
        return store;
    }
  };

  return Object.assign(stores, {
    async purgeExpired(limit: number) {
      const deleted = await rowsOf(
        database,
        `delete from artifact where ctid = any (array(
           select ctid from artifact where expires_at < :now limit :limit for update skip locked)) returning 1`,
        { now: new Date(clock.now()), limit },
      );
      return deleted.length;
    },
  });
}
