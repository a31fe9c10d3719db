import type { Clock } from '../shared/clock.ts';
import { type SecretRing, sha256 } from '../shared/crypto.ts';
import type { RedisConnection } from '../storage/redis.ts';
import { currentUnitOfWork } from '../storage/unit-of-work.ts';
import { takeEarlyGrant } from './artifact-early-grant-redis.ts';
import { indexKey, keyOf, keyOfHash, userCodeKey } from './artifact-keys-redis.ts';
import { type Kind, type KindName, kindOf, mayBe } from './artifact-kind.ts';
import { createOnceAccess } from './artifact-once-redis.ts';
import { createPayloadCodec } from './artifact-payload.ts';
import { createRedisRedemptions } from './artifact-redemption-redis.ts';
import { currentRotation } from './artifact-refresh.ts';
import { providerRequest, type RequestFacts } from './artifact-request.ts';
import { indexScript, putGrantScript, putScript, revokeScript } from './artifact-scripts-redis.ts';
import { createRedisSessionBackend } from './artifact-session-redis.ts';
import { createSessionStore } from './artifact-session-store.ts';
import {
  type ArtifactPayload,
  type ArtifactStore,
  type ArtifactStores,
  eachOnce,
  type RefreshPolicy,
} from './artifact-store.ts';
import { currentRedisUnit, putGranted, type RedisArtifactParts, unlinkAll } from './artifact-unit-redis.ts';
import type { UseMarks } from './artifact-uses-sql.ts';
import { argumentsOf, ended, type RedisWrite, readString, writeOf } from './artifact-write-redis.ts';

/**
 * What the request that writes it does not read again: its writes need not be waited for one by one. A code that goes
 * along finds its grant, which went before it on the same connection.
 */
const unread: ReadonlySet<KindName> = new Set(['AuthorizationCode', 'Grant', 'Interaction']);

/** Lets a write travel with whatever the request asks next. The request waits for it, and fails with it, at its end. */
function writeAlong(kind: Kind & { name: KindName }, work: Promise<void>): Promise<void> {
  const unit = unread.has(kind.name) ? currentUnitOfWork() : undefined;
  if (!unit) return work;
  unit.enlisted.push(work);
  // Whoever ends the request hears of a failure; until then nobody listens.
  work.catch(() => undefined);
  return Promise.resolve();
}

function createTokenStore(kind: Kind & { name: KindName }, parts: RedisArtifactParts): ArtifactStore {
  const { redis, codec, clock } = parts;
  const once = createOnceAccess(kind, parts);

  const store = async (write: RedisWrite): Promise<void> => {
    const { key, grantHash, expiresAt, ttl, value } = write;
    if (kind.name === 'Grant') await redis.evaluate(putGrantScript, [key], [value, ttl]);
    else if (grantHash !== undefined && kind.tagged) await putGranted(redis, write, grantHash, clock.now());
    else {
      if (grantHash !== undefined) {
        const keys = [keyOfHash('Grant', grantHash), indexKey(grantHash)];
        if ((await redis.evaluate(indexScript, keys, [key, expiresAt, ttl, clock.now()])) === 0) return;
      }
      if (kind.once) await redis.evaluate(putScript, [key], argumentsOf(write));
      else await redis.run((client) => client.set(key, value, 'PX', ttl));
    }
  };

  const findPending = (id: string, idHash: string): ArtifactPayload | undefined => {
    const writes = currentRedisUnit()?.writes;
    const write = writes && writes.size > 0 ? writes.get(keyOf(kind.name, id, idHash)) : undefined;
    if (!write) return undefined;
    const text = kind.once ? write.value : (readString(write.value, clock.now()) ?? '');
    return codec.unpack(kind, idHash, text, { id });
  };

  return {
    async upsert(id, payload, expiresIn) {
      const write = writeOf(kind, parts, { id, payload, expiresIn });
      const rotation = currentRotation();
      if (kind.name === 'RefreshToken' && rotation) rotation.successorHash = sha256(id);
      // What comes of a redemption is stored with the mark that it happened, at the end of the request.
      const unit = currentRedisUnit();
      if (unit && kind.name !== 'Grant') unit.writes.set(write.key, write);
      else await writeAlong(kind, store(write));
      if (payload.userCode !== undefined) {
        const pointer = userCodeKey(codec.hashUserCode(payload.userCode));
        await redis.run((client) => client.set(pointer, sha256(id), 'PX', write.ttl));
      }
    },

    async find(id) {
      if (!mayBe(kind, id)) return undefined;
      const idHash = sha256(id);
      const pending = findPending(id, idHash);
      if (pending || kind.once) return pending ?? once.find(id, idHash);
      const key = keyOf(kind.name, id, idHash);
      const early = kind.name === 'Grant' ? takeEarlyGrant(key) : undefined;
      const value = readString(await (early ?? redis.run((client) => client.get(key))), clock.now());
      return value === undefined ? undefined : codec.unpack(kind, idHash, value, { id });
    },

    findByUid: async () => undefined,

    async findByUserCode(userCode) {
      const hash = await redis.run((client) => client.get(userCodeKey(codec.hashUserCode(userCode))));
      return hash === null ? undefined : once.findByKey(keyOfHash(kind.name, hash));
    },

    consume: (id) => once.consume(id),

    async destroy(id) {
      const key = keyOf(kind.name, id);
      currentRedisUnit()?.writes.delete(key);
      if (kind.name === 'Grant') await redis.run((client) => client.set(key, ended, 'KEEPTTL', 'XX'));
      else await writeAlong(kind, unlinkAll(redis, [key]));
    },

    async revokeByGrantId(grantId) {
      const grantHash = sha256(grantId);
      const writes = currentRedisUnit()?.writes;
      for (const [key, write] of writes ?? []) if (write.grantHash === grantHash) writes?.delete(key);
      await unlinkAll(redis, await redis.evaluate(revokeScript, [indexKey(grantHash)], []));
    },
  };
}

/**
 * Keeps artifacts in Redis or Redis Cluster, all that belongs to one grant in one slot. Replay detection stays with
 * `replay`, in SQL: a Redis that lost it would let assertions be used again. For codes `uses` does the same.
 */
export function createRedisArtifactStores(options: {
  readonly redis: RedisConnection;
  readonly replay: ArtifactStore;
  readonly uses: UseMarks;
  readonly secrets: SecretRing;
  readonly clock: Clock;
  readonly policy: RefreshPolicy;
  readonly request?: RequestFacts;
}): ArtifactStores {
  const { redis, replay, uses, secrets, clock, policy, request = providerRequest } = options;
  const parts: RedisArtifactParts = { redis, codec: createPayloadCodec(secrets), clock, policy, request, uses };
  const stores = eachOnce((model) => {
    const kind = kindOf(model);
    if (kind.name === 'ReplayDetection') return replay;
    if (kind.name === 'Session') return createSessionStore(createRedisSessionBackend(redis), parts);
    return createTokenStore(kind, parts);
  });
  return Object.assign(stores, { redemptions: createRedisRedemptions(parts) });
}
