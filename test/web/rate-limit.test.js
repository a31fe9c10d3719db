var __addDisposableResource = (this && this.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var __disposeResources = (this && this.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});
import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { FixedClock, systemClock } from '../../src/shared/clock.js';
import { AppError } from '../../src/shared/errors.js';
import { silentLogger } from '../../src/shared/logger.js';
import { addressKey, createRateLimit } from '../../src/web/http/rate-limit.js';
import { BoundedMap } from '../../src/web/http/rate-limit-local.js';
import { startEdge } from './edge-app.js';
const redisUrl = process.env.TEST_REDIS_URL;
const lanes = redisUrl ? ['local', 'redis'] : ['local'];
const sixty = Array.from({ length: 60 }, (_, index) => index);
/** Each test has names of its own, so that runs on one Redis do not meet. */
const newName = () => `test-${randomUUID()}`;
const options = { logger: silentLogger() };
/** A client that keeps trying, as the server's own does. */
const redisAt = (url) => {
    const redis = new Redis(url, { retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    return redis;
};
/** An app whose routes are behind one limit, keyed on a header that stands for the principal. */
async function startLimited(limits, limit) {
    const middleware = limits.limit({ ...limit, key: (ctx) => ctx.get('x-principal') || undefined });
    const route = (ctx) => middleware(ctx, async () => {
        if (ctx.get('x-fail'))
            throw new Error('a defect further in');
        ctx.body = { ok: true };
    });
    return startEdge({ routes: { '/oauth2/token': route, '/api/v1/things': route, '/sign-in/start': route } });
}
const post = (app, principal, headers = {}) => fetch(`${app.url}/oauth2/token`, {
    method: 'POST',
    headers: { ...(principal !== undefined && { 'x-principal': principal }), ...headers },
});
const statuses = async (responses) => {
    const counts = {};
    for (const { status } of await Promise.all(responses))
        counts[status] = (counts[status] ?? 0) + 1;
    return counts;
};
for (const lane of lanes) {
    describe(`rate limits, ${lane}`, () => {
        let redis;
        before(() => {
            redis = lane === 'redis' ? redisAt(redisUrl ?? '') : undefined;
        });
        after(() => redis?.quit());
        const create = (clock = systemClock, limited = []) => createRateLimit({ ...options, redis, clock, onLimited: (name) => limited.push(name) });
        describe('limit', () => {
            it('lets exactly so many of 60 parallel requests through, per principal', async () => {
                const env_1 = { stack: [], error: void 0, hasError: false };
                try {
                    const name = newName();
                    const limited = [];
                    const app = __addDisposableResource(env_1, await startLimited(create(systemClock, limited), { name, max: 20, windowSeconds: 60 }), true);
                    expect(await statuses(sixty.map(() => post(app, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
                    expect(limited).to.deep.equal(Array(40).fill(name));
                    expect((await post(app, 'b')).status).to.equal(200);
                    expect(await statuses(sixty.map(() => post(app, undefined))), 'no key, no limit').to.deep.equal({ 200: 60 });
                }
                catch (e_1) {
                    env_1.error = e_1;
                    env_1.hasError = true;
                }
                finally {
                    const result_1 = __disposeResources(env_1);
                    if (result_1)
                        await result_1;
                }
            });
            it('says how long to wait, in the form that the route speaks', async () => {
                const env_2 = { stack: [], error: void 0, hasError: false };
                try {
                    const app = __addDisposableResource(env_2, await startLimited(create(), { name: newName(), max: 1, windowSeconds: 900 }), true);
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
                }
                catch (e_2) {
                    env_2.error = e_2;
                    env_2.hasError = true;
                }
                finally {
                    const result_2 = __disposeResources(env_2);
                    if (result_2)
                        await result_2;
                }
            });
            it('opens again when Retry-After says so, not earlier', async () => {
                const env_3 = { stack: [], error: void 0, hasError: false };
                try {
                    const app = __addDisposableResource(env_3, await startLimited(create(), { name: newName(), max: 2, windowSeconds: 1 }), true);
                    await post(app, 'a');
                    const begin = Date.now();
                    await post(app, 'a');
                    const refused = await post(app, 'a');
                    expect(refused.status).to.equal(429);
                    const wait = Number(refused.headers.get('retry-after')) * 1000;
                    let status = 429;
                    while (status === 429 && Date.now() < begin + wait)
                        status = (await post(app, 'a')).status;
                    expect(status).to.equal(200);
                    expect(Date.now() - begin).to.be.above(800);
                }
                catch (e_3) {
                    env_3.error = e_3;
                    env_3.hasError = true;
                }
                finally {
                    const result_3 = __disposeResources(env_3);
                    if (result_3)
                        await result_3;
                }
            });
            it('counts the addresses of one IPv6 customer together', async () => {
                const env_4 = { stack: [], error: void 0, hasError: false };
                try {
                    const app = __addDisposableResource(env_4, await startLimited(create(), { name: newName(), max: 3, windowSeconds: 60 }), true);
                    const same = sixty.map((n) => post(app, `2001:db8:1:2:${n.toString(16)}::1`));
                    expect(await statuses(same)).to.deep.equal({ 200: 3, 429: 57 });
                    expect((await post(app, '2001:db8:1:3::1')).status).to.equal(200);
                }
                catch (e_4) {
                    env_4.error = e_4;
                    env_4.hasError = true;
                }
                finally {
                    const result_4 = __disposeResources(env_4);
                    if (result_4)
                        await result_4;
                }
            });
            it('leaves failures further in alone and runs nothing twice', async () => {
                const env_5 = { stack: [], error: void 0, hasError: false };
                try {
                    const app = __addDisposableResource(env_5, await startLimited(create(), { name: newName(), max: 2, windowSeconds: 60 }), true);
                    expect((await post(app, 'a', { 'x-fail': '1' })).status).to.equal(500);
                    expect((await post(app, 'a')).status).to.equal(200);
                    expect((await post(app, 'a')).status).to.equal(429);
                }
                catch (e_5) {
                    env_5.error = e_5;
                    env_5.hasError = true;
                }
                finally {
                    const result_5 = __disposeResources(env_5);
                    if (result_5)
                        await result_5;
                }
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
                for (const _ of sixty)
                    expect(await counter.blockedFor('a')).to.equal(0);
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
                const granted = [];
                for (let step = 0; step < 120; step += 1) {
                    if ((await counter.take('a')) === 0)
                        granted.push(clock.now());
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
            it('forgets on request, for one key of one name', async () => {
                const limits = create(new FixedClock());
                const [one, two] = [newName(), newName()].map((name) => limits.counter({ name, max: 1, windowSeconds: 60 }));
                for (const key of ['a', 'b'])
                    for (const counter of [one, two])
                        expect(await counter?.take(key)).to.equal(0);
                await one?.clear('a');
                expect(await one?.take('a')).to.equal(0);
                expect(await one?.take('b')).to.equal(60);
                expect(await two?.take('a')).to.equal(60);
            });
        });
    });
}
/** Stands between a client and Redis and can stop answering, or go away. */
async function startProxy(target) {
    const sockets = new Set();
    const to = target === undefined ? undefined : new URL(target);
    const serve = (socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
        const behind = to && connect(Number(to.port || 6379), to.hostname).on('error', () => undefined);
        socket.on('data', (data) => proxy.mode === 'pass' && behind?.write(data));
        behind?.on('data', (data) => proxy.mode === 'pass' && socket.write(data));
        socket.on('close', () => behind?.destroy());
    };
    let server = createServer(serve);
    const open = (port) => new Promise((resolve) => {
        server = createServer(serve).listen(port, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
        });
    });
    const port = await open(0);
    const end = () => new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets)
            socket.destroy();
    });
    const proxy = {
        url: `redis://127.0.0.1:${port}`,
        mode: 'pass',
        cut: end,
        back: async () => void (await open(port)),
        end,
    };
    return proxy;
}
describe('rate limits while Redis is away', () => {
    const elapsed = async (work) => {
        const begin = performance.now();
        await work;
        return performance.now() - begin;
    };
    it('count in this process, exactly, and nobody waits long, when Redis accepts and never answers', async () => {
        const proxy = await startProxy(undefined);
        const redis = redisAt(proxy.url);
        const limits = createRateLimit({ ...options, redis, clock: systemClock });
        {
            const env_6 = { stack: [], error: void 0, hasError: false };
            try {
                const app = __addDisposableResource(env_6, await startLimited(limits, { name: newName(), max: 20, windowSeconds: 60 }), true);
                const counter = limits.counter({ name: newName(), max: 5, windowSeconds: 60 });
                expect(await statuses(sixty.map(() => post(app, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
                const waits = await Promise.all(sixty.map(() => counter.take('a')));
                expect(waits.filter((wait) => wait === 0)).to.have.length(5);
                expect(await elapsed(post(app, 'b')), 'the breaker is open').to.be.below(500);
                // Long enough for several probes: each costs its one request 300 ms and no other anything.
                const times = await Promise.all(sixty.map((n) => elapsed(counter.blockedFor(`k${n}`))));
                expect(Math.max(...times)).to.be.below(500);
            }
            catch (e_6) {
                env_6.error = e_6;
                env_6.hasError = true;
            }
            finally {
                const result_6 = __disposeResources(env_6);
                if (result_6)
                    await result_6;
            }
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
    if (!redisUrl)
        return;
    it('keep what this node saw when Redis goes in between, and return to Redis by themselves', async () => {
        const proxy = await startProxy(redisUrl);
        const redis = redisAt(proxy.url);
        const direct = redisAt(redisUrl);
        const name = newName();
        const limit = { name, max: 5, windowSeconds: 600 };
        const counter = createRateLimit({ ...options, redis, clock: systemClock }).counter(limit);
        const elsewhere = createRateLimit({ ...options, redis: direct, clock: systemClock }).counter(limit);
        for (let tries = 0; tries < 3; tries += 1)
            await counter.hit('a');
        await proxy.cut();
        expect(await counter.hit('a')).to.equal(0);
        expect(await counter.hit('a'), 'three in Redis, two here').to.be.above(590);
        await proxy.back();
        expect(await elsewhere.hit('a')).to.equal(0);
        expect(await elsewhere.hit('a'), 'the other node has five by now').to.be.above(590);
        // Only the shared count knows about key b: seen here means that Redis is in use again.
        for (let tries = 0; tries < 5; tries += 1)
            await elsewhere.hit('b');
        let wait = 0;
        for (const until = Date.now() + 10_000; wait === 0 && Date.now() < until;)
            wait = await counter.blockedFor('b');
        expect(wait).to.be.above(0);
        redis.disconnect();
        direct.disconnect();
        await proxy.end();
    });
    it('share their counts among nodes', async () => {
        const env_7 = { stack: [], error: void 0, hasError: false };
        try {
            const clients = [redisAt(redisUrl), redisAt(redisUrl)];
            const name = newName();
            const nodes = clients.map((redis) => createRateLimit({ ...options, redis, clock: systemClock }));
            const one = __addDisposableResource(env_7, await startLimited(nodes[0], { name, max: 20, windowSeconds: 60 }), true);
            const two = __addDisposableResource(env_7, await startLimited(nodes[1], { name, max: 20, windowSeconds: 60 }), true);
            expect(await statuses(sixty.map((n) => post(n % 2 ? one : two, 'a')))).to.deep.equal({ 200: 20, 429: 40 });
            const counters = nodes.map((limits) => limits.counter({ name, max: 5, windowSeconds: 60 }));
            const waits = await Promise.all(sixty.map((n) => counters[n % 2].take('a')));
            expect(waits.filter((wait) => wait === 0)).to.have.length(5);
            for (const redis of clients)
                redis.disconnect();
        }
        catch (e_7) {
            env_7.error = e_7;
            env_7.hasError = true;
        }
        finally {
            const result_7 = __disposeResources(env_7);
            if (result_7)
                await result_7;
        }
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
        expect(await redis.pttl(found[0])).to.be.within(1, 60_000);
        redis.disconnect();
    });
});
describe('addressKey', () => {
    const cases = [
        ['192.0.2.7', '192.0.2.7'],
        ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
        ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
        ['2001:db8::1', '2001:db8:0:0::/64'],
        ['2001:db8:1:2::', '2001:db8:1:2::/64'],
        ['::1', '0:0:0:0::/64'],
        ['::', '0:0:0:0::/64'],
        ['fe80::1%eth0', 'fe80:0:0:0::/64'],
        ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
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
        const map = new BoundedMap(({ until }) => until <= now, 100);
        for (let n = 0; n < 1000; n += 1)
            map.set(`k${n}`, { until: 10 });
        expect(map.size).to.equal(100);
        expect(map.has('k899')).to.equal(false);
        expect(map.has('k900')).to.equal(true);
        now = 10;
        map.set('fresh', { until: 20 });
        expect([...map.keys()]).to.deep.equal(['fresh']);
    });
    it('keeps an entry that is set again for its new life', () => {
        let now = 0;
        const map = new BoundedMap(({ until }) => until <= now, 2);
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
        const next = async () => undefined;
        await middleware({}, next);
        const refused = await Promise.resolve(middleware({}, next)).catch((error) => error);
        expect(refused).to.be.instanceOf(AppError);
        expect(refused).to.deep.include({ code: 'rate_limited' });
        expect(refused.message).to.match(/^Too many tries\. Try again in (29|30) seconds\.$/);
    });
});
