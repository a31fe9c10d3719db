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
import { startEdge } from './edge-app.js';
import { memoryLog } from './memory-log.js';
describe('access log', () => {
    it('writes one line per request with the route’s name and nothing from the URL or the body', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const { logger, lines, text } = memoryLog();
            const authorize = (ctx) => {
                Object.assign(ctx, { oidc: { route: 'authorization', client: { clientId: 'app_1' } } });
                ctx.body = 'ok';
            };
            const edge = __addDisposableResource(env_1, await startEdge({ logger, routes: { '/oauth2/authorize': authorize } }), true);
            await fetch(`${edge.url}/oauth2/authorize?state=canary1&login_hint=canary2`);
            await fetch(`${edge.url}/OAUTH2/TOKEN?code=canary3`, {
                method: 'POST',
                body: new URLSearchParams({ password: 'canary4', client_secret: 'canary5' }),
                headers: { Authorization: 'Basic canary6', Cookie: 'session=canary7', 'User-Agent': 'canary8' },
            });
            await fetch(`${edge.url}/limited`);
            while (lines.length < 3)
                await new Promise((resolve) => setImmediate(resolve));
            expect(lines).to.have.length(3);
            expect(lines[0]).to.include({
                method: 'GET',
                route: 'authorization',
                status: 200,
                ip: '127.0.0.1',
                client: 'app_1',
            });
            expect(lines[1]).to.include({ method: 'POST', route: 'token' });
            expect(lines[2]?.refusal).to.deep.equal({ code: 'rate_limited', reason: 'sign_in' });
            expect(lines[0]?.requestId).to.match(/^req_/);
            expect(lines[0]?.ms).to.be.a('number');
            expect(text()).to.not.include('canary');
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
    it('hands the metrics labels from a closed set', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const seen = [];
            const edge = __addDisposableResource(env_2, await startEdge({ observe: (observation) => seen.push(observation) }), true);
            await fetch(`${edge.url}/made/up/${'x'.repeat(50)}`);
            await fetch(`${edge.url}/facts`, { method: 'PROPFIND' });
            while (seen.length < 2)
                await new Promise((resolve) => setImmediate(resolve));
            expect(seen.map(({ method, route, status }) => ({ method, route, status }))).to.deep.equal([
                { method: 'GET', route: 'unknown', status: 404 },
                { method: 'OTHER', route: 'unknown', status: 405 },
            ]);
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
});
