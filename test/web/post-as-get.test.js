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
import { postAsGet } from '../../src/web/http/post-as-get.js';
import { startEdge } from './edge-app.js';
describe('post as get', () => {
    const paths = ['/oauth2/authorize', '/OAUTH2/AUTHORIZE/', '/oauth2/logout', '/oauth2/logout/confirm'];
    const routes = Object.fromEntries(paths.map((path) => [path, (ctx) => postAsGet(ctx, async () => undefined)]));
    const post = (url, body) => fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    it('sends the browser on with the same parameters, repeated ones too', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge({ routes }), true);
            const body = 'client_id=a&resource=https%3A%2F%2Fx%2F&resource=y&state=%0d%0aSet-Cookie:x&q=%23%3F&raw=é';
            for (const path of ['/oauth2/authorize', '/OAUTH2/AUTHORIZE/', '/oauth2/logout']) {
                const answer = await post(edge.url + path, body);
                expect(answer.status).to.equal(303);
                const target = new URL(answer.headers.get('location') ?? '', edge.url);
                expect(target.pathname).to.equal(path.toLowerCase().replace(/\/$/, ''));
                expect([...target.searchParams]).to.deep.equal([...new URLSearchParams(body)]);
                expect(answer.headers.has('set-cookie')).to.equal(false);
            }
            expect((await post(`${edge.url}/oauth2/authorize`, '')).headers.get('location')).to.equal('/oauth2/authorize');
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
    it('leaves every other post alone and refuses what would not fit', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge({ routes }), true);
            expect((await post(`${edge.url}/oauth2/logout/confirm`, 'xsrf=x')).status).to.equal(404);
            expect((await post(`${edge.url}/oauth2/authorize`, `state=${'x'.repeat(13_000)}`)).status).to.equal(413);
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
