import { expect } from 'chai';
import { tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { createSqlArtifactStores } from '../../src/oidc/artifact-store-sql.ts';
import { sha256 } from '../../src/shared/crypto.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { RedisConnection } from '../../src/storage/redis.ts';
import { unitOfWork } from '../../src/storage/unit-of-work.ts';
import { everySqlLane, testDatabase } from '../support/database.ts';
import { ifThere, openPatiently, startRedisCluster } from '../support/redis.ts';
import { type ArtifactLane, issue, keysOf, newGrant, ofEachKey, redisLane, secrets, sqlLane } from './artifact-lane.ts';
import { describeRedemptions } from './artifact-redemption.contract.ts';
import { describeRefreshTokens } from './artifact-refresh.contract.ts';
import { describeSessions } from './artifact-session.contract.ts';
import { describeArtifactStore } from './artifact-store.contract.ts';

function describeContract(lane: ArtifactLane): void {
  describeArtifactStore(lane);
  describe('refresh tokens', () => describeRefreshTokens(lane));
  describe('redemptions', () => describeRedemptions(lane));
  describe('sessions', () => describeSessions(lane));
}

for (const lane of everySqlLane()) {
  describe(`artifacts in SQL on ${lane}`, () => {
    describeContract(sqlLane(lane, () => testDatabase(lane)));

    it('are purged in batches once they have expired', async () => {
      const { stores, clock } = await sqlLane(lane, () => testDatabase(lane)).open();
      const purge = createSqlArtifactStores({
        database: await testDatabase(lane),
        secrets,
        clock,
        policy: { refreshRetrySeconds: 0, isStrict: async () => false },
      }).purgeExpired;
      const ids = Array.from({ length: 5 }, () => tokenIdFor('ClientCredentials', undefined));
      clock.advance(-1_000_000);
      for (const id of ids) await stores('ClientCredentials').upsert(id, { jti: id }, 60);
      clock.advance(100);
      expect(await purge(2)).to.equal(2);
      const [some, rest] = await Promise.all([purge(2), purge(2)]);
      expect(some + rest + (await purge(2))).to.equal(3);
      expect(await purge(2)).to.equal(0);
    });
  });
}

function describeRedis(name: string, connection: () => RedisConnection): void {
  describeContract(
    redisLane(
      name,
      async () => connection(),
      () => testDatabase(),
    ),
  );

  it('throw away what a request stored that took longer than its lease', async () => {
    // With marks in SQL whoever takes over would wait for the end of the first one, and the first one waits for it here.
    const { stores, clock, unit } = await redisLane(
      name,
      async () => connection(),
      () => testDatabase(),
      { mark: async () => true },
    ).open();
    const grant = await newGrant(stores);
    const redeem = async () => {
      await stores('AuthorizationCode').consume(grant.codeId);
      return issue(stores, grant);
    };
    const gate = Promise.withResolvers<void>();
    let late: Awaited<ReturnType<typeof redeem>> | undefined;
    let taking: Promise<Awaited<ReturnType<typeof redeem>>> | undefined;
    const slow = unit(async () => {
      late = await redeem();
      clock.advance(11);
      const taken = Promise.withResolvers<void>();
      taking = unitOfWork.exit(() =>
        unit(async () => {
          const tokens = await redeem();
          taken.resolve();
          await gate.promise;
          return tokens;
        }),
      );
      await taken.promise;
    });
    const failure = await slow.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(AppError).and.to.have.property('code', 'unavailable');
    gate.resolve();
    const inTime = await taking;
    expect(await stores('AccessToken').find(late!.access)).to.equal(undefined);
    expect(await stores('AccessToken').find(inTime!.access)).not.to.equal(undefined);
  });

  describe('housekeeping', () => {
    it('leaves no key without an end', async () => {
      const { client } = connection();
      const lives = await ofEachKey(client, (key) => client.pttl(key));
      expect(lives.filter(([, life]) => life === -1)).to.deep.equal([]);
      expect(lives.length).to.be.greaterThan(100);
    });

    it('forgets what expired in the index of a grant', async () => {
      const { stores, clock } = await redisLane(
        name,
        async () => connection(),
        () => testDatabase(),
      ).open();
      const grant = await newGrant(stores);
      for (let hour = 0; hour < 30; hour += 1) {
        const access = tokenIdFor('AccessToken', grant.grantId);
        await stores('AccessToken').upsert(access, { jti: access, grantId: grant.grantId }, 600);
        clock.advance(3600);
      }
      const index = (await keysOf(connection().client)).filter((key) => key.endsWith(`:ix:${sha256(grant.grantId)}`));
      expect(await connection().client.zcard(index[0] ?? '')).to.equal(1);
    });
  });
}

describe('artifacts in Redis', () => {
  let redis: RedisConnection;
  before(async function () {
    const url = process.env.TEST_REDIS_URL;
    if (!url) return this.skip();
    redis = await openPatiently(url);
  });
  after(() => redis?.[Symbol.asyncDispose]());
  describeRedis('redis', () => redis);
});

describe('artifacts in Redis Cluster', () => {
  const stack = new AsyncDisposableStack();
  let redis: RedisConnection;
  before(async function () {
    this.timeout(60_000);
    if (!process.env.TEST_REDIS_URL) return this.skip();
    const cluster = await ifThere(startRedisCluster);
    if (!cluster) return this.skip();
    redis = stack.use(await openPatiently(stack.use(cluster).url));
  });
  after(() => stack.disposeAsync());
  describeRedis('cluster', () => redis);
});
