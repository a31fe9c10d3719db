import { errors } from 'oidc-provider';
import type { Clock } from '../shared/clock.ts';
import { type SecretRing, sha256 } from '../shared/crypto.ts';
import type { Database } from '../storage/database.ts';
import { type Kind, type KindName, kindOf, mayBe } from './artifact-kind.ts';
import { createPayloadCodec, grantHashOf, secondsToKeep } from './artifact-payload.ts';
import { createSqlRedemptions } from './artifact-redemption-sql.ts';
import { currentRotation, noteMisuse } from './artifact-refresh.ts';
import { createRefreshStore } from './artifact-refresh-sql.ts';
import { createReplayStore } from './artifact-replay-sql.ts';
import { providerRequest, type RequestFacts } from './artifact-request.ts';
import {
  claim,
  endGrant,
  findRow,
  revokeGrant,
  rowsOf,
  type SqlArtifactParts,
  type TokenRow,
} from './artifact-rows-sql.ts';
import { createSqlSessionBackend } from './artifact-session-sql.ts';
import { createSessionStore } from './artifact-session-store.ts';
import {
  type ArtifactPayload,
  type ArtifactStore,
  type ArtifactStores,
  eachOnce,
  type RefreshPolicy,
} from './artifact-store.ts';

// A grant that was ended stays as a row without payload until it would have expired, and takes nothing new.
const upsertText = `
  insert into artifact (kind, id_hash, payload, grant_hash, user_code_hash, client_id, account_id, expires_at)
  select :kind, :idHash, :payload, :grantHash, :userCodeHash, :clientId, :accountId, cast(:expiresAt as timestamptz)
  where not exists (select 1 from artifact where kind = 'Grant' and id_hash = :grantHash and payload is null)
  on conflict (kind, id_hash) do update set
    payload = excluded.payload, grant_hash = excluded.grant_hash, user_code_hash = excluded.user_code_hash,
    client_id = excluded.client_id, account_id = excluded.account_id, expires_at = excluded.expires_at
  where artifact.payload is not null or artifact.expires_at <= :now`;

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
      const change = kind.name === 'Grant' ? 'update artifact set payload = null' : 'delete from artifact';
      await rowsOf(database, `${change} where kind = :kind and id_hash = :idHash`, {
        kind: kind.name,
        idHash: sha256(id),
      });
    },

    async revokeByGrantId(grantId) {
      await database.join();
      await revokeGrant(database, sha256(grantId));
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

  const stores = eachOnce((model) => {
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
  });

  return Object.assign(stores, {
    redemptions: createSqlRedemptions(parts),

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
