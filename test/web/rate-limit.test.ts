import { randomUUID } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { type Clock, FixedClock, systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { addressKey, createRateLimit, type RateLimit, type RedisLike } from '../../src/web/http/rate-limit.ts';
import { BoundedMap } from '../../src/web/http/rate-limit-local.ts';
import { type EdgeApp, startEdge } from './edge-app.ts';

const redisUrl = process.env.TEST_REDIS_URL;
const lanes = redisUrl ? (['local', 'redis'] as const) : (['local'] as const);
const sixty = Array.from({ length: 60 }, (_, index) => index);

/** Each test has names of its own, so that runs on one Redis do not meet. */
const newName = (): string => `test-${randomUUID()}`;
const options = { logger: silentLogger() };

/** A client that keeps trying, as the server's own does. */
const redisAt = (url: string): Redis => {
  const redis = new Redis(url, { retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  return redis;
};

/** An app whose routes are behind one limit, keyed on a header that stands for the principal. */
async function startLimited(
  limits: RateLimit,
  limit: { name: string; max: number; windowSeconds: number },
): Promise<EdgeApp> {
  const middleware = limits.limit({ ...limit, key: (ctx) => ctx.get('x-principal') || undefined });
  const route = (ctx: EdgeContext): unknown =>
    middleware(ctx as never, async () => {
      if (ctx.get('x-fail')) throw new Error('a defect further in');
      ctx.body = { ok: true };
    });
  return startEdge({ routes: { '/oauth2/token': route, '/api/v1/things': route, '/sign-in/start': route } });
}

const post = (app: EdgeApp, principal: string | undefined, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${app.url}/oauth2/token`, {
    method: 'POST',
    headers: { ...(principal !== undefined && { 'x-principal': principal }), ...headers },
  });

const statuses = async (responses: Promise<Response>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { status } of await Promise.all(responses)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

for (const lane of lanes) {
  describe(`rate limits, ${lane}`, () => {
    let redis: RedisLike | undefined;
    before(() => {
      redis = lane === 'redis' ? redisAt(redisUrl ?? '') : undefined;
    });
    after(() => redis?.quit());

    const create = (clock: Clock = systemClock, limited: string[] = []): RateLimit =>
      createRateLimit({ ...options, redis, clock, onLimited: (name) => limited.push(name) });

    describe('limit', () => {
      it('lets exactly so many of 60 parallel requests through, per principal', async () => {
        const name = newName();
        const limited: string[] = [];
        await using app = await startLimited(create(systemClock, limited), { name, max: 20, windowSeconds: 60 });
        expect(await statuses(sixty.map(() => post(app, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
        expect(limited).to.deep.equal(Array(40).fill(name));
        expect((await post(app, 'b')).status).to.equal(200);
        expect(await statuses(sixty.map(() => post(app, undefined))), 'no key, no limit').to.deep.equal({ 200: 60 });
      });

      it('says how long to wait, in the form that the route speaks', async () => {
        await using app = await startLimited(create(), { name: newName(), max: 1, windowSeconds: 900 });
        await post(app, 'a');
        const oauth = await post(app, 'a');
        expect(oauth.status).to.equal(429);
        expect(Number(oauth.headers.get('retry-after'))).to.be.within(899, 900);
        expect(await oauth.json()).to.include({
          error: 'too_many_requests',
          error_description: 'Too many tries. Try again in 15 minutes.',
        });
        const api = await fetch(`${app.url}/api/v1/things`, { headers: { 'x-principal': 'a' } });
        expect(api.headers.get('content-type')).to.match(/^application\/problem\+json/);
        const page = await fetch(`${app.url}/sign-in/start`, { headers: { 'x-principal': 'a', accept: 'text/html' } });
        expect([api.status, page.status]).to.deep.equal([429, 429]);
        expect(page.headers.get('content-type')).to.match(/^text\/html/);
        expect(page.headers.get('retry-after')).to.match(/^\d+$/);
      });

      it('opens again when Retry-After says so, not earlier', async () => {
        await using app = await startLimited(create(), { name: newName(), max: 2, windowSeconds: 1 });
        await post(app, 'a');
        const begin = Date.now();
        await post(app, 'a');
        const refused = await post(app, 'a');
        expect(refused.status).to.equal(429);
        const wait = Number(refused.headers.get('retry-after')) * 1000;
        let status = 429;
        while (status === 429 && Date.now() < begin + wait) status = (await post(app, 'a')).status;
        if (status === 429) status = (await post(app, 'a')).status;
        expect(status).to.equal(200);
        expect(Date.now() - begin).to.be.above(800);
      });

      it('counts the addresses of one IPv6 customer together', async () => {
        await using app = await startLimited(create(), { name: newName(), max: 3, windowSeconds: 60 });
        const same = sixty.map((n) => post(app, `2001:db8:1:2:${n.toString(16)}::1`));
        expect(await statuses(same)).to.deep.equal({ 200: 3, 429: 57 });
        expect((await post(app, '2001:db8:1:3::1')).status).to.equal(200);
      });

      it('leaves failures further in alone and runs nothing twice', async () => {
        await using app = await startLimited(create(), { name: newName(), max: 2, windowSeconds: 60 });
        expect((await post(app, 'a', { 'x-fail': '1' })).status).to.equal(500);
        expect((await post(app, 'a')).status).to.equal(200);
        expect((await post(app, 'a')).status).to.equal(429);
      });
    });

    describe('counter', () => {
      it('gives exactly so many of 60 parallel tries away', async () => {
        const counter = create(new FixedClock()).counter({ name: newName(), max: 5, windowSeconds: 900 });
        const waits = await Promise.all(sixty.map(() => counter.take('a')));
        expect(waits.filter((wait) => wait === 0)).to.have.length(5);
        expect(new Set(waits)).to.deep.equal(new Set([0, 900]));
        expect(await counter.take('b')).to.equal(0);
      });

      it('counts failures only: looking costs nothing', async () => {
        const clock = new FixedClock();
        const counter = create(clock).counter({ name: newName(), max: 2, windowSeconds: 60 });
        for (const _ of sixty) expect(await counter.blockedFor('a')).to.equal(0);
        expect(await counter.hit('a')).to.equal(0);
        expect(await counter.hit('a')).to.equal(60);
        clock.advance(0.5);
        expect(await counter.blockedFor('a'), 'rounded up').to.equal(60);
        clock.advance(0.5);
        expect(await counter.blockedFor('a')).to.equal(59);
      });

      it('slides: no stretch of the window ever has more than the most', async () => {
        const clock = new FixedClock();
        const counter = create(clock).counter({ name: newName(), max: 3, windowSeconds: 10 });
        const granted: number[] = [];
        for (let step = 0; step < 120; step += 1) {
          if ((await counter.take('a')) === 0) granted.push(clock.now());
          clock.advance(step % 7 === 0 ? 0 : 0.7);
        }
        expect(granted.length).to.be.within(18, 24);
        for (const from of granted) {
          expect(granted.filter((at) => at >= from && at < from + 10_000).length).to.be.at.most(3);
        }
      });

      it('promises a try at the second it names', async () => {
        const clock = new FixedClock();
        const counter = create(clock).counter({ name: newName(), max: 2, windowSeconds: 10 });
        await counter.take('a');
        clock.advance(4.2);
        await counter.take('a');
        const wait = await counter.take('a');
        expect(wait).to.equal(6);
        clock.advance(5.7);
        expect(await counter.take('a')).to.equal(1);
        clock.advance(0.3);
        expect(await counter.take('a')).to.equal(0);
      });

      it('takes one back and no more', async () => {
        const clock = new FixedClock();
        const counter = create(clock).counter({ name: newName(), max: 2, windowSeconds: 60 });
        await counter.giveBack('a');
        for (const wait of [0, 0]) expect(await counter.take('a')).to.equal(wait);
        await counter.giveBack('a');
        expect(await counter.take('a')).to.equal(0);
        expect(await counter.take('a')).to.equal(60);
      });

      it('forgets on request, for one key of one name', async () => {
        const limits = create(new FixedClock());
        const [one, two] = [newName(), newName()].map((name) => limits.counter({ name, max: 1, windowSeconds: 60 }));
        for (const key of ['a', 'b']) for (const counter of [one, two]) expect(await counter?.take(key)).to.equal(0);
        await one?.clear('a');
        expect(await one?.take('a')).to.equal(0);
        expect(await one?.take('b')).to.equal(60);
        expect(await two?.take('a')).to.equal(60);
      });
    });
  });
}

/** Stands between a client and Redis and can stop answering, or go away. */
async function startProxy(target: string | undefined): Promise<{
  url: string;
  mode: 'pass' | 'swallow';
  cut(): Promise<void>;
  back(): Promise<void>;
  end(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  const to = target === undefined ? undefined : new URL(target);
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const behind = to && connect(Number(to.port || 6379), to.hostname).on('error', () => undefined);
    socket.on('data', (data) => proxy.mode === 'pass' && behind?.write(data));
    behind?.on('data', (data) => proxy.mode === 'pass' && socket.write(data));
    socket.on('close', () => behind?.destroy());
  };
  let server: Server = createServer(serve);
  const open = (port: number): Promise<number> =>
    new Promise((resolve) => {
      server = createServer(serve).listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  const port = await open(0);
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const proxy = {
    url: `redis://127.0.0.1:${port}`,
    mode: 'pass' as 'pass' | 'swallow',
    cut: end,
    back: async () => void (await open(port)),
    end,
  };
  return proxy;
}

describe('rate limits while Redis is away', () => {
  const elapsed = async (work: Promise<unknown>): Promise<number> => {
    const begin = performance.now();
    await work;
    return performance.now() - begin;
  };

  it('count in this process, exactly, and nobody waits long, when Redis accepts and never answers', async () => {
    const proxy = await startProxy(undefined);
    const redis = redisAt(proxy.url);
    const limits = createRateLimit({ ...options, redis, clock: systemClock });
    {
      await using app = await startLimited(limits, { name: newName(), max: 20, windowSeconds: 60 });
      const counter = limits.counter({ name: newName(), max: 5, windowSeconds: 60 });
      expect(await statuses(sixty.map(() => post(app, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
      const waits = await Promise.all(sixty.map(() => counter.take('a')));
      expect(waits.filter((wait) => wait === 0)).to.have.length(5);
      expect(await elapsed(post(app, 'b')), 'the breaker is open').to.be.below(2_000);
      // Long enough for several probes: each costs its one request 300 ms and no other anything.
      const times = await Promise.all(sixty.map((n) => elapsed(counter.blockedFor(`k${n}`))));
      expect(Math.max(...times)).to.be.below(2_000);
    }
    redis.disconnect();
    await proxy.end();
  });

  it('count in this process when nothing listens there', async () => {
    const proxy = await startProxy(undefined);
    await proxy.end();
    const redis = redisAt(proxy.url);
    const limits = createRateLimit({ ...options, redis, clock: systemClock });
    const counter = limits.counter({ name: newName(), max: 5, windowSeconds: 60 });
    const waits = await Promise.all(sixty.map(() => counter.take('a')));
    expect(waits.filter((wait) => wait === 0)).to.have.length(5);
    redis.disconnect();
  });

  if (!redisUrl) return;

  it('keep what this node saw when Redis goes in between, and return to Redis by themselves', async () => {
    const proxy = await startProxy(redisUrl);
    const redis = redisAt(proxy.url);
    const direct = redisAt(redisUrl);
    const name = newName();
    const limit = { name, max: 5, windowSeconds: 600 };
    const counter = createRateLimit({ ...options, redis, clock: systemClock }).counter(limit);
    const elsewhere = createRateLimit({ ...options, redis: direct, clock: systemClock }).counter(limit);
    for (let tries = 0; tries < 3; tries += 1) await counter.hit('a');

    await proxy.cut();
    expect(await counter.hit('a')).to.equal(0);
    expect(await counter.hit('a'), 'three in Redis, two here').to.be.above(590);

    await proxy.back();
    expect(await elsewhere.hit('a')).to.equal(0);
    expect(await elsewhere.hit('a'), 'the other node has five by now').to.be.above(590);
    // Only the shared count knows about key b: seen here means that Redis is in use again.
    for (let tries = 0; tries < 5; tries += 1) await elsewhere.hit('b');
    let wait = 0;
    for (const until = Date.now() + 10_000; wait === 0 && Date.now() < until; ) wait = await counter.blockedFor('b');
    expect(wait).to.be.above(0);
    redis.disconnect();
    direct.disconnect();
    await proxy.end();
  });

  it('share their counts among nodes', async () => {
    const clients = [redisAt(redisUrl), redisAt(redisUrl)];
    const name = newName();
    const nodes = clients.map((redis) => createRateLimit({ ...options, redis, clock: systemClock }));
    await using one = await startLimited(nodes[0]!, { name, max: 20, windowSeconds: 60 });
    await using two = await startLimited(nodes[1]!, { name, max: 20, windowSeconds: 60 });
    expect(await statuses(sixty.map((n) => post(n % 2 ? one : two, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
    const counters = nodes.map((limits) => limits.counter({ name, max: 5, windowSeconds: 60 }));
    const waits = await Promise.all(sixty.map((n) => counters[n % 2]!.take('a')));
    expect(waits.filter((wait) => wait === 0)).to.have.length(5);
    for (const redis of clients) redis.disconnect();
  });

  it('leave nothing readable in Redis', async () => {
    const redis = redisAt(redisUrl);
    const name = newName();
    await createRateLimit({ ...options, redis, clock: systemClock })
      .counter({ name, max: 5, windowSeconds: 60 })
      .hit('ada@example.com');
    const found = await redis.keys(`*${name}*`);
    expect(found).to.have.length(1);
    expect(found[0]).not.to.contain('ada');
    expect(await redis.pttl(found[0]!)).to.be.within(1, 60_000);
    redis.disconnect();
  });
});

describe('addressKey', () => {
  const cases: [string, string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['ada@example.com', 'ada@example.com'],
    ['not:an:address', 'not:an:address'],
  ];
  for (const [address, key] of cases) {
    it(`${address} counts as ${key}`, () => {
      expect(addressKey(address)).to.equal(key);
    });
  }
});

describe('BoundedMap', () => {
  it('drops what has expired as new entries come, and the oldest when it is full', () => {
    let now = 0;
    const map = new BoundedMap<{ until: number }>(({ until }) => until <= now, 100);
    for (let n = 0; n < 1000; n += 1) map.set(`k${n}`, { until: 10 });
    expect(map.size).to.equal(100);
    expect(map.has('k899')).to.equal(false);
    expect(map.has('k900')).to.equal(true);
    now = 10;
    map.set('fresh', { until: 20 });
    expect([...map.keys()]).to.deep.equal(['fresh']);
  });

  it('keeps an entry that is set again for its new life', () => {
    let now = 0;
    const map = new BoundedMap<{ until: number }>(({ until }) => until <= now, 2);
    map.set('a', { until: 5 }).set('b', { until: 6 }).set('a', { until: 9 });
    now = 6;
    map.set('c', { until: 12 });
    expect([...map.keys()]).to.deep.equal(['a', 'c']);
  });
});

describe('a refusal', () => {
  it('is an AppError that says when to come back', async () => {
    const limits = createRateLimit({ ...options, clock: systemClock });
    const middleware = limits.limit({ name: newName(), max: 1, windowSeconds: 30, key: () => 'a' });
    const next = async (): Promise<void> => undefined;
    await middleware({} as never, next);
    const refused = await Promise.resolve(middleware({} as never, next)).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(AppError);
    expect(refused).to.deep.include({ code: 'rate_limited' });
    expect((refused as AppError).message).to.match(/^Too many tries\. Try again in (29|30) seconds\.$/);
  });
});
