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
import { expect } from 'chai';
import { listenForManagement } from '../../src/web/management.js';
import { createMetrics } from '../../src/web/metrics.js';
import { memoryLog } from './memory-log.js';
async function start(options) {
    const { logger, lines } = memoryLog();
    const registry = options.registry ?? createMetrics().registry;
    const server = await listenForManagement({ checks: [], isDraining: () => false, logger, registry, ...options }, { port: 0, host: '127.0.0.1' });
    const ask = async (path, init) => {
        const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
        return { status: answer.status, text: await answer.text() };
    };
    return { ask, lines, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
const fine = async () => undefined;
const broken = async () => {
    throw new Error('connect ECONNREFUSED 10.0.0.5:5432');
};
describe('management server', () => {
    it('is alive whatever else is broken', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const management = __addDisposableResource(env_1, await start({ checks: [{ name: 'database', required: true, check: broken }] }), true);
            expect(await management.ask('/livez')).to.include({ status: 200 });
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
    it('tells ready, degraded, failing and draining apart', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            let draining = false;
            const database = { name: 'database', required: true, check: fine };
            const redis = { name: 'redis', required: false, check: fine };
            const management = __addDisposableResource(env_2, await start({ checks: [database, redis], isDraining: () => draining }), true);
            const readiness = async () => {
                const { status, text } = await management.ask('/readyz');
                return [status, JSON.parse(text)];
            };
            expect(await readiness()).to.deep.equal([200, { status: 'ok', checks: { database: 'ok', redis: 'ok' } }]);
            redis.check = broken;
            expect(await readiness()).to.deep.equal([
                200,
                { status: 'degraded', checks: { database: 'ok', redis: 'failing' } },
            ]);
            database.check = broken;
            expect((await readiness())[0]).to.equal(503);
            expect(management.lines.at(-1)?.reason).to.include('ECONNREFUSED');
            database.check = fine;
            redis.check = fine;
            draining = true;
            expect(await readiness()).to.deep.equal([503, { status: 'draining', checks: { database: 'ok', redis: 'ok' } }]);
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
    it('gives a part that hangs one second', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const hang = () => new Promise(() => undefined);
            const management = __addDisposableResource(env_3, await start({ checks: [{ name: 'database', required: true, check: hang }] }), true);
            const begun = performance.now();
            expect((await management.ask('/readyz')).status).to.equal(503);
            expect(performance.now() - begun).to.be.within(900, 2500);
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
    it('survives a check that throws at once', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const check = () => {
                throw new Error('at once');
            };
            const management = __addDisposableResource(env_4, await start({ checks: [{ name: 'x', required: true, check }] }), true);
            expect((await management.ask('/readyz')).status).to.equal(503);
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
    it('knows three paths and reading only', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const management = __addDisposableResource(env_5, await start({}), true);
            expect((await management.ask('/')).status).to.equal(404);
            expect((await management.ask('/livez', { method: 'POST' })).status).to.equal(405);
            expect((await management.ask('/livez?probe=1')).status).to.equal(200);
            expect((await management.ask('/livez', { method: 'HEAD' })).text).to.equal('');
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
    it('shows what was counted, under names with a unit and without people', async () => {
        const env_6 = { stack: [], error: void 0, hasError: false };
        try {
            const metrics = createMetrics();
            metrics.observeRequest({ method: 'POST', route: 'token', status: 400, seconds: 0.004 });
            metrics.countSignIn('totp', 'failure');
            metrics.countToken('refresh_token', 'jwt');
            metrics.countIntrospection(false);
            metrics.countRateLimited('sign_in');
            metrics.observeStore('redis', 'find', 0.002, 'ok');
            let queue = 3;
            metrics.watch('password_queue_length', 'Passwords that wait for a hash.', () => queue);
            const management = __addDisposableResource(env_6, await start({ registry: metrics.registry }), true);
            const first = (await management.ask('/metrics')).text;
            const expected = [
                'sallyport_http_requests_total{route="token",method="POST",status="4xx"} 1',
                'sallyport_http_request_duration_seconds_bucket{le="0.005",route="token",method="POST"} 1',
                'sallyport_sign_ins_total{factor="totp",outcome="failure"} 1',
                'sallyport_tokens_issued_total{grant="refresh_token",format="jwt"} 1',
                'sallyport_introspections_total{active="false"} 1',
                'sallyport_rate_limited_total{limit="sign_in"} 1',
                'sallyport_store_call_duration_seconds_count{store="redis",operation="find",outcome="ok"} 1',
                'sallyport_password_queue_length 3',
                'nodejs_eventloop_lag_seconds',
            ];
            for (const line of expected)
                expect(first).to.include(line);
            queue = 5;
            expect((await management.ask('/metrics')).text).to.include('sallyport_password_queue_length 5');
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
    });
});
