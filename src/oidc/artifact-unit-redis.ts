import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import type { RedisConnection } from '../storage/redis.ts';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import { indexKey, keyOfHash, tagOfKey } from './artifact-keys-redis.ts';
import type { PayloadCodec } from './artifact-payload.ts';
import { rotationOf } from './artifact-refresh.ts';
import type { RequestFacts } from './artifact-request.ts';
import {
  commitScript,
  endGrantScript,
  finishScript,
  putGrantedScript,
  putScript,
  releaseScript,
} from './artifact-scripts-redis.ts';
import type { RefreshPolicy } from './artifact-store.ts';
import type { UseMarks } from './artifact-uses-sql.ts';
import { argumentsOf, type RedisWrite } from './artifact-write-redis.ts';

/** What the Redis stores of all kinds are made of. */
export interface RedisArtifactParts {
  readonly redis: RedisConnection;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly policy: RefreshPolicy;
  readonly request: RequestFacts;
  readonly uses: UseMarks;
}

/** Milliseconds that a redemption may take before somebody else may try. */
export const lease = 10_000;

/** An artifact that a request is redeeming. */
export interface RedisClaim {
  readonly key: string;
  readonly token: string;
  readonly grantHash: string | undefined;
  /** The successor that a retry replaces. */
  readonly killsKey?: string;
}

/** What a request will do in Redis, all at its end. */
export interface RedisUnit {
  readonly claims: RedisClaim[];
  readonly writes: Map<string, RedisWrite>;
}

const note = 'artifact.redis';

/** What the current request has in mind, when it redeems something in a unit of work. */
export const currentRedisUnit = (): RedisUnit | undefined =>
  currentUnitOfWork()?.notes.get(note) as RedisUnit | undefined;

/** A name for the holder of a claim. */
export const newClaimToken = (): string => randomText(16);

/** Ends a grant for good: its tokens in every slot, and the grant. */
export async function endGrant(redis: RedisConnection, grantHash: string): Promise<void> {
  const keys = [indexKey(grantHash), keyOfHash('Grant', grantHash)];
  await unlinkAll(redis, await redis.evaluate(endGrantScript, keys, []));
}

/** Removes keys one by one, as they lie in different slots. */
export async function unlinkAll(redis: RedisConnection, keys: unknown): Promise<void> {
  await Promise.all((keys as string[]).map((key) => redis.run((client) => client.unlink(key))));
}

/** Stores one write of a grant's slot, unless the grant was ended. */
export const putGranted = (redis: RedisConnection, write: RedisWrite, grantHash: string, now: number) =>
  redis.evaluate(
    putGrantedScript,
    [write.key, keyOfHash('Grant', grantHash), indexKey(grantHash)],
    [...argumentsOf(write), now],
  );

async function settle(redis: RedisConnection, claim: RedisClaim, own: RedisWrite[], unit: UnitOfWork, now: number) {
  const grantHash = claim.grantHash ?? own[0]?.grantHash;
  if (grantHash === undefined || tagOfKey(indexKey(grantHash)) !== tagOfKey(claim.key)) {
    const state = await redis.evaluate(finishScript, [claim.key], [claim.token, now]);
    if (state === 'accused' && grantHash !== undefined) await endGrant(redis, grantHash);
    return state;
  }
  const isRetry = claim.killsKey !== undefined;
  return redis.evaluate(
    commitScript,
    [
      claim.key,
      keyOfHash('Grant', grantHash),
      indexKey(grantHash),
      claim.killsKey ?? claim.key,
      ...own.map(({ key }) => key),
    ],
    [
      claim.token,
      now,
      rotationOf(unit).successorHash ?? '',
      isRetry ? 'retry' : '',
      ...own.flatMap((write) => argumentsOf(write)),
    ],
  );
}

/**
 * Applies all of it. What lies in the slot of the claimed artifact goes in one script with the mark that it was used;
 * anything else goes first, so that a crash in between leaves tokens that nobody was given.
 */
async function commit(redis: RedisConnection, plan: RedisUnit, unit: UnitOfWork, now: number): Promise<void> {
  const rest = new Set(plan.writes.values());
  const batches = plan.claims.map((claim) => {
    const own = [...rest].filter(
      ({ key, grantHash }) => grantHash !== undefined && tagOfKey(key) === tagOfKey(claim.key),
    );
    for (const write of own) rest.delete(write);
    return { claim, own };
  });
  await Promise.all(
    [...rest].map((write) =>
      write.grantHash === undefined
        ? redis.evaluate(putScript, [write.key], argumentsOf(write))
        : putGranted(redis, write, write.grantHash, now),
    ),
  );
  for (const { claim, own } of batches) {
    const state = await settle(redis, claim, own, unit, now);
    // Slower than the lease, and somebody else took over: this answer must not leave.
    if (state === 'overtaken') {
      throw new AppError('unavailable', 'This took too long. Try again in a moment.', { retryAfter: 1 });
    }
  }
}

/** Notes a claim; the first one of a unit of work arranges for the end of it. */
export function noteClaim(redis: RedisConnection, unit: UnitOfWork, claim: RedisClaim, now: () => number): void {
  let plan = unit.notes.get(note) as RedisUnit | undefined;
  if (!plan) {
    const fresh: RedisUnit = { claims: [], writes: new Map() };
    plan = fresh;
    unit.notes.set(note, fresh);
    unit.beforeCommit.push(() => commit(redis, fresh, unit, now()));
  }
  plan.claims.push(claim);
  // A client that got a 5xx tries again at once, and should not wait for the lease.
  unit.onRollback.push(async () => void (await redis.evaluate(releaseScript, [claim.key], [claim.token])));
}
