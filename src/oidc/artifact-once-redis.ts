import { errors } from 'oidc-provider';
import { sha256 } from '../shared/crypto.ts';
import type { RedisConnection } from '../storage/redis.ts';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import { askForGrantEarly } from './artifact-early-grant-redis.ts';
import { keyOf, siblingKey } from './artifact-keys-redis.ts';
import type { Kind, KindName } from './artifact-kind.ts';
import { createMisuse, notePresented } from './artifact-misuse-redis.ts';
import { passesAsRetry, retrySecondsFor, rotationOf, type SecondUseAccess } from './artifact-refresh.ts';
import { claimRetryScript, claimScript, contendScript, releaseScript } from './artifact-scripts-redis.ts';
import type { ArtifactPayload } from './artifact-store.ts';
import { currentRedisUnit, lease, newClaimToken, noteClaim, type RedisArtifactParts } from './artifact-unit-redis.ts';

/** What Redis says of an artifact that is used once. */
interface Found {
  readonly idHash: string;
  readonly payload: string;
  readonly clientId: string | undefined;
  readonly consumedAt: number | undefined;
  readonly renewedAt: number | undefined;
  readonly successorHash: string | undefined;
  readonly contended: boolean;
}

const numberOf = (text: string | null | undefined): number | undefined => (text ? Number(text) : undefined);

const loadFrom = async ({ redis, clock }: RedisArtifactParts, key: string): Promise<Found | undefined> => {
  const [payload, expiresAt, consumed, renewed, successor, contended, client] = await redis.run((connection) =>
    connection.hmget(key, 'p', 'e', 'c', 'r', 's', 'x', 'i'),
  );
  if (!payload || Number(expiresAt) <= clock.now()) return undefined;
  const isMine = currentRedisUnit()?.claims.some((claim) => claim.key === key);
  return {
    idHash: key.slice(key.lastIndexOf(':') + 1),
    payload,
    clientId: client || undefined,
    consumedAt: numberOf(consumed) ?? (isMine ? clock.now() : undefined),
    renewedAt: numberOf(renewed),
    successorHash: successor || undefined,
    contended: Boolean(contended),
  };
};

/** Takes a claim. If Redis may have given it without our hearing so, it is given back. */
async function take(redis: RedisConnection, key: string, token: string, claim: () => Promise<unknown>) {
  try {
    return await claim();
  } catch (error) {
    redis.client.eval(releaseScript.source, 1, key, token).catch(() => undefined);
    throw error;
  }
}

/** Codes and refresh tokens: reading them, and using them once. */
export function createOnceAccess(kind: Kind & { name: KindName }, parts: RedisArtifactParts) {
  const { redis, codec, clock, policy, request } = parts;
  const isRefreshToken = kind.name === 'RefreshToken';
  const { refuse, settleUse } = createMisuse(kind, parts);
  const load = (key: string): Promise<Found | undefined> => loadFrom(parts, key);

  const accessBy = (key: string): SecondUseAccess => ({
    async reload() {
      const found = await load(key);
      return found?.consumedAt === undefined ? undefined : { ...found, consumedAt: found.consumedAt };
    },
    async isUnused(hash) {
      const successor = await load(siblingKey(key, hash));
      return successor !== undefined && successor.consumedAt === undefined;
    },
    async markContended() {
      await redis.evaluate(contendScript, [key], []);
    },
  });

  const passes = async (key: string, found: Found, consumedAt: number, unit: UnitOfWork): Promise<boolean> => {
    const retrySeconds = await retrySecondsFor(policy, found.clientId);
    return passesAsRetry({ ...found, consumedAt }, { unit, now: clock.now(), retrySeconds }, accessBy(key));
  };

  const renew = async (unit: UnitOfWork, key: string, successorHash: string): Promise<void> => {
    const now = clock.now();
    const token = newClaimToken();
    const killsKey = siblingKey(key, successorHash);
    const earliest = now - policy.refreshRetrySeconds * 1000;
    const values = [token, now, now + lease, earliest, successorHash];
    const claimed = await take(redis, key, token, () => redis.evaluate(claimRetryScript, [key, killsKey], values));
    if (claimed !== 1) throw new errors.InvalidGrant('refresh token was already used');
    noteClaim(redis, unit, { key, token, grantHash: undefined, killsKey }, () => clock.now());
  };

  return {
    async find(id: string, idHash: string): Promise<ArtifactPayload | undefined> {
      const key = keyOf(kind.name, id, idHash);
      const found = await load(key);
      if (!found) return undefined;
      const unit = currentUnitOfWork();
      const { consumedAt } = found;
      const isSecondUse = isRefreshToken && consumedAt !== undefined && unit !== undefined && request.isRedeeming();
      const passed = isSecondUse && (await passes(key, found, consumedAt, unit));
      const payload = codec.unpack(kind, found.idHash, found.payload, {
        id,
        consumedAt: passed ? undefined : consumedAt,
      });
      if (kind.tagged && payload?.grantId !== undefined && request.isRedeeming()) {
        notePresented(key, payload.grantId);
        askForGrantEarly(redis, payload.grantId);
      }
      return payload;
    },

    /** By the key alone; the id is inside the payload. */
    async findByKey(key: string): Promise<ArtifactPayload | undefined> {
      const found = await load(key);
      return found && codec.unpack(kind, found.idHash, found.payload, { consumedAt: found.consumedAt });
    },

    async consume(id: string): Promise<void> {
      const key = keyOf(kind.name, id);
      const unit = currentUnitOfWork();
      const retry = unit && isRefreshToken ? rotationOf(unit).retry : undefined;
      if (unit && retry?.idHash === sha256(id)) return renew(unit, key, retry.successorHash);
      const now = clock.now();
      const token = newClaimToken();
      const values = [token, now, unit ? now + lease : ''];
      const answer = await take(redis, key, token, () => redis.evaluate(claimScript, [key], values));
      const [state, expiresAt = '', grantHash = '', clientId = ''] = answer as string[];
      if (state === 'ok') {
        if (unit) noteClaim(redis, unit, { key, token, grantHash: grantHash || undefined }, () => clock.now());
        return settleUse(key, expiresAt, grantHash, clientId);
      }
      if (kind.name === 'PushedAuthorizationRequest')
        throw new errors.InvalidRequestUri('request_uri was already used');
      if (state === 'gone') throw new errors.InvalidGrant(`${kind.name} is not there any more`);
      await refuse(key, grantHash, clientId);
    },
  };
}
