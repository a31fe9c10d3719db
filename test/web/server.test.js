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
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { expect } from 'chai';
import { listen } from '../../src/web/http/server.js';
import { startEdge } from './edge-app.js';
import { exchange } from './raw-http.js';
/** A route that answers when the test says so. */
function gate() {
    const arrived = Promise.withResolvers();
    const opened = Promise.withResolvers();
    return {
        arrived: arrived.promise,
        open: () => opened.resolve(),
        async wait(ctx) {
            arrived.resolve();
            await opened.promise;
            ctx.body = { done: true };
        },
    };
}
describe('server', () => {
    it('has limits on how slowly and how much may be sent', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const { keepAliveTimeout, headersTimeout, requestTimeout, maxRequestsPerSocket } = edge.http.server;
            expect({ keepAliveTimeout, headersTimeout, requestTimeout, maxRequestsPerSocket }).to.deep.equal({
                keepAliveTimeout: 65_000,
                headersTimeout: 15_000,
                requestTimeout: 30_000,
                maxRequestsPerSocket: 0,
            });
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
    it('says that a port is taken', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge(), true);
            const second = await listen(() => undefined, { port: edge.port, host: '127.0.0.1' }).catch((error) => error);
            expect(second).to.have.property('code', 'EADDRINUSE');
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
    it('answers pipelined requests in their order', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge(), true);
            const line = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
            const paths = ['/facts', '/nowhere', '/defect', '/facts', '/limited'];
            const { answers } = await exchange(edge.port, [paths.map(line).join('')], { expected: 5 });
            expect(answers.map(({ status }) => status)).to.deep.equal([200, 404, 500, 200, 429]);
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
    it('never lets an answer to garbage pass for the answer to the request before it', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const slow = gate();
            const edge = __addDisposableResource(env_4, await startEdge({ routes: { '/slow': slow.wait } }), true);
            const request = `GET /slow HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
            const outcome = exchange(edge.port, [request, 'GARBAGE\r\n\r\n'], { expected: 2 });
            const { answers, closed } = await outcome;
            slow.open();
            expect(closed).to.equal(true);
            expect(answers).to.deep.equal([]);
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
    it('finishes what is under way when it drains, and tells clients to go elsewhere', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const slow = gate();
            const edge = __addDisposableResource(env_5, await startEdge({ routes: { '/slow': slow.wait } }), true);
            const agent = new Agent({ keepAlive: true });
            const answered = once(get(`${edge.url}/slow`, { agent }), 'response');
            await slow.arrived;
            const drained = edge.http.drain({ graceSeconds: 10 });
            const refused = await fetch(`${edge.url}/facts`).catch(() => 'refused');
            expect(refused).to.equal('refused');
            slow.open();
            const [response] = (await answered);
            expect([response.statusCode, response.headers.connection]).to.deep.equal([200, 'close']);
            response.resume();
            expect(await drained).to.equal(0);
            agent.destroy();
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
    it('goes on serving during the notice, without keeping connections', async () => {
        const env_6 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_6, await startEdge(), true);
            const drained = edge.http.drain({ noticeSeconds: 0.4, graceSeconds: 1 });
            const answer = await fetch(`${edge.url}/facts`);
            expect([answer.status, answer.headers.get('connection')]).to.deep.equal([200, 'close']);
            expect(await drained).to.equal(0);
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
    it('cuts what does not finish in time and says how much that was', async () => {
        const env_7 = { stack: [], error: void 0, hasError: false };
        try {
            const stuck = [gate(), gate()];
            const edge = __addDisposableResource(env_7, await startEdge({
                routes: Object.fromEntries(stuck.map(({ wait }, index) => [`/stuck${index}`, wait])),
            }), true);
            const asked = stuck.map((_, index) => fetch(`${edge.url}/stuck${index}`).then(() => 'answered', () => 'cut'));
            await Promise.all(stuck.map(({ arrived }) => arrived));
            expect(await edge.http.drain({ graceSeconds: 0.1 })).to.equal(2);
            expect(await Promise.all(asked)).to.deep.equal(['cut', 'cut']);
            for (const { open } of stuck)
                open();
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
});
