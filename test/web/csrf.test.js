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
async function open(url, cookie = '') {
    const answer = await fetch(`${url}/csrf`, { headers: { cookie } });
    const set = answer.headers.getSetCookie();
    const { token, again } = (await answer.json());
    expect(again).to.equal(token);
    return { token, cookie: set[0]?.split(';')[0] ?? cookie, set };
}
function post(url, fields, headers) {
    return fetch(`${url}/csrf`, { method: 'POST', body: new URLSearchParams(fields), headers });
}
describe('csrf', () => {
    it('accepts a form of our own page, also from a second tab', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const first = await open(edge.url);
            const second = await open(edge.url, first.cookie);
            expect(second.set).to.deep.equal([]);
            for (const { token } of [first, second]) {
                for (const headers of [
                    {},
                    { Origin: edge.url },
                    { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' },
                    { 'Sec-Fetch-Site': 'none' },
                ]) {
                    const answer = await post(edge.url, { csrf: token }, { ...headers, cookie: first.cookie });
                    expect(answer.status, JSON.stringify(headers)).to.equal(200);
                }
            }
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
    it('names and locks the cookie as the issuer allows', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const plain = __addDisposableResource(env_2, await startEdge(), true);
            expect((await open(plain.url)).set[0]).to.match(/^sp_csrf=[\w-]{43}; path=\/; samesite=lax; httponly$/);
            const tls = __addDisposableResource(env_2, await startEdge({ issuer: 'https://id.example.com' }), true);
            const { exchange } = await import('./raw-http.js');
            const { answers } = await exchange(tls.port, ['GET /csrf HTTP/1.1\r\nHost: id.example.com\r\n\r\n']);
            expect(answers[0]?.headers.get('set-cookie')).to.match(/^__Host-sp_csrf=[\w-]{43}; path=\/; samesite=lax; secure; httponly$/);
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
    it('refuses a form without token, without cookie, or with those of two browsers', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge(), true);
            const [mine, theirs] = [await open(edge.url), await open(edge.url)];
            const cases = [
                ['no token', {}, { cookie: mine.cookie }],
                ['empty token', { csrf: '' }, { cookie: mine.cookie }],
                ['no cookie', { csrf: mine.token }, {}],
                ['foreign token', { csrf: theirs.token }, { cookie: mine.cookie }],
                ['foreign cookie', { csrf: mine.token }, { cookie: theirs.cookie }],
                ['cookie as token', { csrf: mine.cookie.split('=')[1] ?? '' }, { cookie: mine.cookie }],
                ['cookie of the wrong shape', { csrf: mine.token }, { cookie: `${mine.cookie}x` }],
                [
                    'changed token',
                    { csrf: `${mine.token.slice(0, -1)}${mine.token.endsWith('A') ? 'B' : 'A'}` },
                    { cookie: mine.cookie },
                ],
            ];
            for (const [name, fields, headers] of cases) {
                const answer = await post(edge.url, fields, headers);
                expect(answer.status, name).to.equal(403);
                expect(await answer.text(), name).to.include('reload the page');
            }
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
    it('refuses a form that another site sent, even with the right token', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_4, await startEdge(), true);
            const { token, cookie } = await open(edge.url);
            const strangers = [
                { 'Sec-Fetch-Site': 'cross-site' },
                { 'Sec-Fetch-Site': 'same-site' },
                { Origin: 'https://evil.example' },
                { Origin: `${edge.url}.evil.example` },
                { Origin: 'http://localhost' },
                { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
            ];
            for (const headers of strangers) {
                const answer = await post(edge.url, { csrf: token }, { ...headers, cookie });
                expect(answer.status, JSON.stringify(headers)).to.equal(403);
            }
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
});
