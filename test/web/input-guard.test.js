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
const basic = (text) => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;
describe('input guard', () => {
    it('refuses NUL wherever a parameter may come from', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const answer = (ctx) => {
                ctx.body = {};
            };
            const edge = __addDisposableResource(env_1, await startEdge({ routes: { '/api/v1/x': answer } }), true);
            const form = { 'content-type': 'application/x-www-form-urlencoded' };
            const json = { 'content-type': 'application/json' };
            const hostile = [
                ['/facts?client_id=%00', {}],
                ['/facts?a=b%00c', {}],
                ['/sign-in/%00/login', {}],
                ['/oauth2/token', { method: 'POST', headers: form, body: 'client_id=a%00' }],
                ['/oauth2/token', { method: 'POST', headers: form, body: 'client_id=a\0' }],
                ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a\0b:c') } }],
                ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a%00b:c').replace('Basic', 'bAsIc ') } }],
                ['/api/v1/x', { method: 'POST', headers: json, body: '{"name":"\\u0000"}' }],
            ];
            for (const [path, init] of hostile) {
                expect((await fetch(edge.url + path, init)).status, `${path} ${JSON.stringify(init)}`).to.equal(400);
            }
            expect(edge.seen).to.have.length(0);
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
    it('lets through what only looks like it', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge(), true);
            const harmless = [
                ['/facts?a=%2500&b=%0A', {}],
                ['/oauth2/token', { method: 'POST', headers: { authorization: basic('a:b') } }],
                ['/oauth2/token', { method: 'POST', headers: { authorization: 'Basic !!' } }],
                ['/oauth2/token', { method: 'POST', headers: { authorization: 'Bearer AAAA' } }],
            ];
            for (const [path, init] of harmless) {
                expect((await fetch(edge.url + path, init)).status, `${path} ${JSON.stringify(init)}`).to.equal(200);
            }
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
