import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { RequestFacts } from '../../src/oidc/artifact-request.ts';
import {
  type ArtifactPayload,
  type ArtifactStores,
  type RefreshPolicy,
  tokenIdFor,
} from '../../src/oidc/artifact-store.ts';
import { createRedisArtifactStores } from '../../src/oidc/artifact-store-redis.ts';
import { createSqlArtifactStores } from '../../src/oidc/artifact-store-sql.ts';
import { createSqlUseMarks, type UseMarks } from '../../src/oidc/artifact-uses-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { Database } from '../../src/storage/database.ts';
import type { RedisClient, RedisConnection } from '../../src/storage/redis.ts';
import { currentUnitOfWork } from '../../src/storage/unit-of-work.ts';

/** What oidc-provider's context would say of the request; the object is the request. */
export interface Request {
  leaving?: string;
  redeeming?: boolean;
}

/** One implementation under test, with the clock and the requests in the test's hands. */
export interface Fixture {
  readonly stores: ArtifactStores;
  readonly clock: FixedClock;
  /** Runs work as one request to the token endpoint that arrives now. */
  unit<T>(work: () => Promise<T>, options?: { startedAt?: number; keep?: boolean }): Promise<T>;
  /** Runs work as one request without a unit of work. */
  request<T>(facts: Request, work: () => Promise<T>): Promise<T>;
  /** Everything that lies in the store, as text. */
  dump(): Promise<string>;
}

export interface ArtifactLane {
  readonly name: string;
  open(policy?: Partial<RefreshPolicy>): Promise<Fixture>;
}

export const secrets = new SecretRing(['s'.repeat(40)]);
const lenient: RefreshPolicy = { refreshRetrySeconds: 10, isStrict: async (clientId) => clientId.startsWith('strict') };

function frame(database: Database) {
  const clock = new FixedClock();
  const requests = new AsyncLocalStorage<Request>();
  const facts: RequestFacts = {
    current: () => requests.getStore() ?? currentUnitOfWork(),
    isRedeeming: () => requests.getStore()?.redeeming ?? true,
    leavingSessionId: () => requests.getStore()?.leaving,
  };
  const unit: Fixture['unit'] = (work, { startedAt = clock.now(), keep = true } = {}) =>
    database.unitOfWork(startedAt, work, () => keep);
  return { clock, facts, unit, request: <T>(state: Request, work: () => Promise<T>) => requests.run(state, work) };
}

export const sqlLane = (name: string, open: () => Promise<Database>): ArtifactLane => ({
  name,
  async open(policy) {
    const database = await open();
    const { clock, facts, ...rest } = frame(database);
    const options = { database, secrets, clock, request: facts, policy: { ...lenient, ...policy } };
    return {
      ...rest,
      clock,
      stores: createSqlArtifactStores(options),
      dump: async () => JSON.stringify(await database.sql('artifact').select('*')),
    };
  },
});

/** Every key of ours in a Redis, or of all masters of a cluster. */
export async function keysOf(client: RedisClient): Promise<string[]> {
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  return (await Promise.all(nodes.map((node) => node.keys('sp:*')))).flat();
}

/** Asks one thing of each key, a few keys at a time, as the connection's timeouts are short. */
export async function ofEachKey<T>(client: RedisClient, ask: (key: string) => Promise<T>): Promise<[string, T][]> {
  const keys = await keysOf(client);
  const answers: [string, T][] = [];
  for (let start = 0; start < keys.length; start += 40) {
    const some = keys.slice(start, start + 40).map(async (key): Promise<[string, T]> => [key, await ask(key)]);
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}

const dumpRedis = async (client: RedisClient): Promise<string> =>
  JSON.stringify(
    await ofEachKey<unknown>(client, async (key) => {
      const type = await client.type(key);
      if (type === 'hash') return client.hgetall(key);
      return type === 'zset' ? client.zrange(key, '0', '-1') : client.get(key);
    }),
  );

export const redisLane = (
  name: string,
  redis: () => Promise<RedisConnection>,
  sql: () => Promise<Database>,
  uses?: UseMarks,
): ArtifactLane => ({
  name,
  async open(policy) {
    const [connection, database] = await Promise.all([redis(), sql()]);
    const { clock, facts, ...rest } = frame(database);
    const options = { secrets, clock, request: facts, policy: { ...lenient, ...policy } };
    const replay = createSqlArtifactStores({ ...options, database })('ReplayDetection');
    return {
      ...rest,
      clock,
      stores: createRedisArtifactStores({
        ...options,
        redis: connection,
        replay,
        uses: uses ?? createSqlUseMarks(database),
      }),
      dump: () => dumpRedis(connection.client),
    };
  },
});

/** A grant with an authorization code, as the authorization endpoint leaves them. */
export async function newGrant(stores: ArtifactStores, clientId = 'app_1') {
  const grantId = randomUUID();
  const common: ArtifactPayload = { accountId: 'acc_1', clientId };
  await stores('Grant').upsert(grantId, { ...common, kind: 'Grant', jti: grantId }, 3600);
  const codeId = tokenIdFor('AuthorizationCode', grantId);
  await stores('AuthorizationCode').upsert(codeId, { ...common, kind: 'AuthorizationCode', jti: codeId, grantId }, 60);
  return { grantId, codeId, clientId, common };
}

/** Stores an access and a refresh token of a grant, as the token endpoint does after it consumed something. */
export async function issue(stores: ArtifactStores, { grantId, clientId }: { grantId: string; clientId: string }) {
  const payload = { accountId: 'acc_1', clientId, grantId };
  const refresh = tokenIdFor('RefreshToken', grantId);
  const access = tokenIdFor('AccessToken', grantId);
  await stores('RefreshToken').upsert(refresh, { ...payload, jti: refresh, kind: 'RefreshToken' }, 1209600);
  await stores('AccessToken').upsert(access, { ...payload, jti: access, kind: 'AccessToken' }, 600);
  return { refresh, access };
}

/** What oidc-provider does with a refresh token; `reused` when it would end the family. */
export async function refreshOnce(stores: ArtifactStores, id: string) {
  const found = await stores('RefreshToken').find(id);
  if (!found) return { outcome: 'unknown' as const };
  if (found.consumed) return { outcome: 'reused' as const };
  await stores('RefreshToken').consume(id);
  return {
    outcome: 'ok' as const,
    ...(await issue(stores, { grantId: found.grantId ?? '', clientId: found.clientId ?? '' })),
  };
}

export const settle = <T>(promises: Promise<T>[]): Promise<PromiseSettledResult<T>[]> => Promise.allSettled(promises);

export const valuesOf = <T>(results: PromiseSettledResult<T>[]): T[] =>
  results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));

export const reasonsOf = (results: PromiseSettledResult<unknown>[]): Error[] =>
  results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));

export const fifty = <T>(make: (index: number) => T): T[] => Array.from({ length: 50 }, (_, index) => make(index));
