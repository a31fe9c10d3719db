import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { AppError } from '../../src/shared/errors.ts';
import { openRedis, type RedisConnection, type RedisState } from '../../src/storage/redis.ts';
import { currentUnitOfWork } from '../../src/storage/unit-of-work.ts';
import { testDatabase } from '../support/database.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { redisLane } from './artifact-lane.ts';

const until = async (condition: () => boolean): Promise<void> => {
  for (const end = Date.now() + 8_000; !condition(); await delay(20))
    if (Date.now() > end) throw new Error('It never came.');
};

/** Milliseconds that a refused command took. */
async function refusal(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(AppError);
  expect(error).to.deep.include({ code: 'unavailable', details: { retryAfter: 1 } });
  return performance.now() - start;
}

describe('Redis away', function () {
  // Times are measured, on machines that may be busy with something else.
  this.retries(2);
  let server: RedisServer;
  let redis: RedisConnection;
  let states: RedisState[];
  const get = () => redis.run((client) => client.get('sp:nothing'));

  before(function () {
    if (!process.env.TEST_REDIS_URL) this.skip();
  });
  beforeEach(async () => {
    server = await startRedis();
    redis = openRedis(server.url);
    expect(await redis.ready(5_000)).to.equal(true);
    states = [];
    redis.onState((state) => states.push(state));
  });
  afterEach(async () => {
    await redis?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  it('answers within 300 ms when it hangs, at once after five failures, and again when it is back', async () => {
    await get();
    process.kill(server.pid, 'SIGSTOP');
    for (let turn = 0; turn < 5; turn += 1) expect(await refusal(get)).to.be.lessThan(300);
    expect(states).to.deep.equal(['down']);
    expect(await refusal(get)).to.be.lessThan(20);
    process.kill(server.pid, 'SIGCONT');
    await until(() => redis.state === 'up');
    expect(await get()).to.equal(null);
    expect(states).to.deep.equal(['down', 'up']);
  });

  it('waits once for many commands at a time, and once for one request', async () => {
    process.kill(server.pid, 'SIGSTOP');
    const waits = await Promise.all(Array.from({ length: 50 }, () => refusal(get)));
    expect(Math.max(...waits)).to.be.lessThan(300);
    process.kill(server.pid, 'SIGCONT');
    await until(() => redis.state === 'up');
    const database = await testDatabase();
    await database.unitOfWork(Date.now(), async () => {
      process.kill(server.pid, 'SIGSTOP');
      const first = await refusal(get);
      expect(currentUnitOfWork()?.storeFailure).not.to.equal(undefined);
      expect(first + (await refusal(get)) + (await refusal(get))).to.be.lessThan(300);
    });
  });

  it('answers at once when the port is closed, and again when a server is there, without scripts it knew', async () => {
    const { stores, unit } = await redisLane(
      'own',
      async () => redis,
      () => testDatabase(),
    ).open();
    const id = tokenIdFor('ClientCredentials', undefined);
    const store = () => unit(() => stores('Grant').upsert(id, { jti: id }, 60));
    await store();
    await server.stop();
    await until(() => redis.client.status !== 'ready');
    expect(await refusal(store)).to.be.lessThan(300);
    for (let turn = 0; turn < 5; turn += 1) await refusal(store);
    expect(redis.state).to.equal('down');
    server = await startRedis({ port: server.port });
    await until(() => redis.state === 'up');
    await store();
    expect(await stores('Grant').find(id)).to.have.property('jti', id);
  });

  it('is not blamed for a question that makes no sense', async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const error = await redis.run((client) => client.call('NOSUCH')).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(Error).and.not.instanceOf(AppError);
    }
    expect(redis.state).to.equal('up');
  });
});
