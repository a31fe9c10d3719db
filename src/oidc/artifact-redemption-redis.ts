import { sha256 } from '../shared/crypto.ts';
import { indexKey, keyOf, keyOfHash, tagOfKey } from './artifact-keys-redis.ts';
import { kindOf, mayBe } from './artifact-kind.ts';
import { retrySecondsFor } from './artifact-refresh.ts';
import { redeemScript } from './artifact-scripts-redis.ts';
import type { Redemptions } from './artifact-store.ts';
import type { RedisArtifactParts } from './artifact-unit-redis.ts';
import { argumentsOf, readString, writeOf } from './artifact-write-redis.ts';

const refreshToken = kindOf('RefreshToken');
const grantKind = kindOf('Grant');

/** Redemptions in Redis: all that one changes lies in the slot of its grant, so one script does it. */
export const createRedisRedemptions = (parts: RedisArtifactParts): Redemptions => {
  const { redis, codec, clock, policy } = parts;
  return {
    async find(id) {
      if (!mayBe(refreshToken, id)) return undefined;
      const idHash = sha256(id);
      const key = keyOf('RefreshToken', id, idHash);
      const [text, expiresAt, consumed] = await redis.run((client) => client.hmget(key, 'p', 'e', 'c'));
      if (!text || consumed || Number(expiresAt) <= clock.now()) return undefined;
      const token = codec.unpack(refreshToken, idHash, text, { id });
      const grantId = token?.grantId;
      if (!token || grantId === undefined) return undefined;
      // Its use is remembered in SQL as well, which is no plain case.
      if ((await retrySecondsFor(policy, token.clientId)) === 0) return undefined;
      return {
        token,
        async grant() {
          const value = await redis.run((client) => client.get(keyOf('Grant', grantId)));
          const found = readString(value, clock.now());
          return found === undefined ? undefined : codec.unpack(grantKind, sha256(grantId), found, { id: grantId });
        },
      };
    },

    async redeem(id, tokens) {
      const key = keyOf('RefreshToken', id);
      const writes = tokens.map(({ model, ...token }) => writeOf(kindOf(model), parts, token));
      const { grantHash } = writes[0] ?? {};
      const isOneSlot = writes.every((write) => write.grantHash === grantHash && tagOfKey(write.key) === tagOfKey(key));
      if (grantHash === undefined || !isOneSlot || tagOfKey(indexKey(grantHash)) !== tagOfKey(key)) return false;
      const state = await redis.evaluate(
        redeemScript,
        [key, keyOfHash('Grant', grantHash), indexKey(grantHash), ...writes.map((write) => write.key)],
        [clock.now(), sha256(tokens[0].id), ...writes.flatMap(argumentsOf)],
      );
      return state === 1;
    },
  };
};
