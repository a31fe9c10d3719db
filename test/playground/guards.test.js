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
import { request } from 'node:http';
import { expect } from 'chai';
import { startPlayground } from '../../src/playground/index.js';
import { silentLogger } from '../../src/shared/logger.js';
import { freePort } from '../support/start-app.js';
import { build, newPerson, readable, startLane, stockClients, viewsDir } from './playground-lane.js';
import { startStockIssuer } from './stock-issuer.js';
const options = (issuer, more = {}) => ({
    issuer,
    port: 0,
    host: '127.0.0.1',
    viewsDir,
    logger: silentLogger(),
    clients: stockClients,
    ...more,
});
/** A request whose Host is not what the address says; `fetch` would not send it. */
function withHost(origin, host) {
    return new Promise((resolve, reject) => {
        const outgoing = request(`${origin.replace('localhost', '127.0.0.1')}/machine`, { headers: { host } }, (response) => {
            response.resume();
            resolve({ status: response.statusCode, location: response.headers.location });
        });
        outgoing.on('error', reject).end();
    });
}
describe('playground: guards', () => {
    let lane;
    before(async () => {
        lane = await startLane();
    });
    after(() => lane[Symbol.asyncDispose]());
    it('sends a strict policy with every answer, also with refusals', async () => {
        const { app } = newPerson(lane);
        const home = await app.open('/');
        const asset = /href="(\/assets\/sallyport[^"]+)"/.exec(home.text)?.[1] ?? '';
        for (const page of [home, await app.open('/nowhere'), await app.open(asset), await app.open('/callback?state=x')]) {
            const policy = page.headers.get('content-security-policy');
            expect(policy)
                .to.include("default-src 'none'")
                .and.include("script-src 'self'")
                .and.include("frame-ancestors 'none'");
            expect(policy).to.include(`form-action 'self' ${lane.stock.issuer}`).and.not.include('unsafe');
            expect(page.headers.get('x-content-type-options')).to.equal('nosniff');
        }
        expect(home.headers.get('cache-control')).to.equal('no-store');
        expect(home.text).not.to.match(/ style=| on[a-z]+=|<script>/);
    });
    it('answers under its own name only', async () => {
        const { origin } = lane.playground;
        const { port } = new URL(origin);
        expect(await withHost(origin, `127.0.0.1:${port}`)).to.deep.equal({ status: 302, location: `${origin}/machine` });
        expect((await withHost(origin, `rebound.example:${port}`)).status).to.equal(421);
        expect((await withHost(origin, 'localhost:1')).status).to.equal(421);
    });
    it('takes forms from its own pages only', async () => {
        const { app } = newPerson(lane);
        const post = (headers, body = 'scope-openid=on') => app.fetch('/runs', {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        });
        expect((await post({})).status).to.equal(303);
        expect((await post({ 'sec-fetch-site': 'cross-site' })).status).to.equal(403);
        expect((await post({ 'sec-fetch-site': 'same-site' })).status).to.equal(403);
        expect((await post({ origin: lane.stock.issuer })).status).to.equal(403);
        expect((await post({ origin: 'null' })).status).to.equal(403);
        expect((await post({ origin: lane.playground.origin, 'sec-fetch-site': 'same-origin' })).status).to.equal(303);
    });
    it('refuses bodies that are no short form', async () => {
        const { app } = newPerson(lane);
        const post = async (body, type = 'application/x-www-form-urlencoded') => (await app.fetch('/runs', { method: 'POST', body, headers: { 'content-type': type } })).status;
        expect(await post('{}', 'application/json')).to.equal(400);
        expect(await post(`claims=${'x'.repeat(40_000)}`)).to.equal(400);
        expect(await post('scope-openid=%ff')).to.equal(400);
        expect(await post('prompt=login&prompt=none')).to.equal(400);
    });
    it('names the fields that have to be put right and keeps what was typed', async () => {
        const fields = {
            prompt: 'maybe',
            max_age: '-1',
            resource: 'notes',
            claims: '[1]',
            more_scopes: 'a "b"',
            login_hint: '"><i>',
        };
        const page = await build(newPerson(lane), fields);
        expect(page.status).to.equal(400);
        const text = readable(page);
        for (const sentence of ['Give 0 or more.', 'Give an absolute URI', 'Give a JSON object', 'A scope has no spaces'])
            expect(text).to.include(sentence);
        expect(page.text).to.include('value="&#34;&gt;&lt;i&gt;"');
    });
    it('listens on loopback only', async () => {
        let refused;
        await startPlayground(options('http://localhost:1', { host: '0.0.0.0' })).catch((error) => {
            refused = error;
        });
        expect(refused).to.be.instanceOf(RangeError);
    });
});
describe('playground: an issuer that is not there', () => {
    it('says so with 503, and works as soon as it is there', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const port = await freePort();
            const playground = __addDisposableResource(env_1, await startPlayground(options(`http://localhost:${port}`, { patienceSeconds: 0.1 })), true);
            const get = () => fetch(playground.origin);
            const away = await get();
            expect(away.status).to.equal(503);
            expect(away.headers.get('retry-after')).to.equal('2');
            expect(await away.text()).to.include('The server does not answer');
            const _issuer = __addDisposableResource(env_1, await startStockIssuer(() => playground.origin, port), true);
            expect((await get()).status).to.equal(200);
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
    it('waits for one that is still starting', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const port = await freePort();
            const playground = __addDisposableResource(env_2, await startPlayground(options(`http://localhost:${port}`, { patienceSeconds: 20 })), true);
            const early = fetch(playground.origin);
            // The first attempts find nobody; only a retry can succeed.
            await fetch(`http://localhost:${port}`).catch(() => undefined);
            const _issuer = __addDisposableResource(env_2, await startStockIssuer(() => playground.origin, port), true);
            expect((await early).status).to.equal(200);
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
