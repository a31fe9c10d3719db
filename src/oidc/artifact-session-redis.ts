import type { RedisConnection } from '../storage/redis.ts';
import { cookieKey, keyOfHash } from './artifact-keys-redis.ts';
import {
  endSessionScript,
  leaveSessionScript,
  openSessionScript,
  saveSessionScript,
} from './artifact-scripts-redis.ts';
import type { SessionBackend, SessionRecord } from './artifact-session-store.ts';

/** Sessions in Redis: by uid, and a pointer in another slot for each cookie id. */
export function createRedisSessionBackend(redis: RedisConnection): SessionBackend {
  const read = async (uidHash: string, now: number): Promise<(SessionRecord & { binding: string }) | undefined> => {
    const [payload, binding, version, expiresAt, ended] = await redis.run((client) =>
      client.hmget(keyOfHash('Session', uidHash), 'p', 'b', 'v', 'e', 'x'),
    );
    if (!binding || Number(expiresAt) <= now) return undefined;
    return { uidHash, payload: ended ? null : (payload ?? null), version: Number(version), alias: false, binding };
  };

  return {
    async findById(idHash, now) {
      const [uidHash, binding, expiresAt, left] = await redis.run((client) =>
        client.hmget(cookieKey(idHash), 's', 'b', 'e', 'l'),
      );
      if (!uidHash || Number(expiresAt) <= now) return undefined;
      const session = await read(uidHash, now);
      if (!session || session.binding !== binding) return undefined;
      return { ...session, alias: Boolean(left) };
    },

    findByUid: read,

    async save({
      uidHash,
      payload,
      binding,
      accountId = '',
      version,
      idHash,
      leavingHash,
      now,
      expiresAt,
      aliasUntil,
    }) {
      const ttl = Math.max(1, expiresAt - now);
      const key = keyOfHash('Session', uidHash);
      const values = [version, payload, binding, accountId, expiresAt, ttl, now];
      const save = async (): Promise<number> => Number(await redis.evaluate(saveSessionScript, [key], values));
      const open = async (): Promise<unknown> =>
        idHash !== undefined &&
        redis.evaluate(openSessionScript, [cookieKey(idHash)], [uidHash, binding, accountId, expiresAt, ttl]);
      // Nobody else can have a session that starts here, so its id may go along: alone it opens nothing.
      const [first] = version === 0 && leavingHash === undefined ? await Promise.all([save(), open()]) : [await save()];
      if (first === 0) return undefined;
      if (version === 0 && leavingHash === undefined) return first;
      // The old id opens nothing but what it opened before, so the order of these two does not matter.
      await Promise.all([
        open(),
        leavingHash !== undefined &&
          redis.evaluate(leaveSessionScript, [cookieKey(leavingHash)], [aliasUntil, aliasUntil - now]),
      ]);
      return first;
    },

    async end(idHash) {
      const [uidHash, accountId] = await redis.run((client) => client.hmget(cookieKey(idHash), 's', 'a'));
      if (!uidHash) return;
      await Promise.all([
        redis.evaluate(endSessionScript, [keyOfHash('Session', uidHash)], [accountId ?? '']),
        redis.run((client) => client.del(cookieKey(idHash))),
      ]);
    },
  };
}
