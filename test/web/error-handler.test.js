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
import { AppError } from '../../src/shared/errors.js';
import { startEdge } from './edge-app.js';
import { memoryLog } from './memory-log.js';
import { exchange } from './raw-http.js';
const statuses = {
    invalid_input: 400,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    conflict: 409,
    expired: 410,
    rate_limited: 429,
    unavailable: 503,
};
const fail = (code) => () => {
    throw new AppError(code, `It is ${code}.`, { fields: { name: 'Give a name.' }, reason: 'for the log' });
};
const browser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
describe('error handler', () => {
    it('gives every code of the closed set its status and words', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const codes = Object.keys(statuses);
            const edge = __addDisposableResource(env_1, await startEdge({ routes: Object.fromEntries(codes.map((code) => [`/${code}`, fail(code)])) }), true);
            for (const code of codes) {
                const answer = await fetch(`${edge.url}/${code}`);
                expect(answer.status, code).to.equal(statuses[code]);
                expect(answer.headers.get('content-type'), code).to.equal('application/problem+json');
                const problem = (await answer.json());
                expect(problem, code).to.include({ status: statuses[code], detail: `It is ${code}.`, type: 'about:blank' });
                expect(problem.fields, code).to.deep.equal({ name: 'Give a name.' });
                expect(problem.reference, code).to.equal(answer.headers.get('x-request-id'));
                expect(JSON.stringify(problem), code).to.not.include('for the log');
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
    it('says when to come back', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge({ routes: { '/away': fail('unavailable') } }), true);
            expect((await fetch(`${edge.url}/limited`)).headers.get('retry-after')).to.equal('13');
            expect((await fetch(`${edge.url}/away`)).headers.get('retry-after')).to.equal('2');
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
    it('shows browsers a page, OAuth clients RFC 6749 and programs a problem document', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge({ routes: { '/oauth2/userinfo': fail('unauthenticated') } }), true);
            const page = await fetch(`${edge.url}/nowhere`, { headers: browser });
            expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
            expect(await page.text())
                .to.include('There is nothing here')
                .and.include(page.headers.get('x-request-id') ?? '-');
            const body = new URLSearchParams({ grant_type: 'fail' });
            const oauth = await fetch(`${edge.url}/oauth2/token`, { method: 'POST', body, headers: browser });
            expect(oauth.headers.get('content-type')).to.equal('application/json; charset=utf-8');
            expect(await oauth.json()).to.include({ error: 'invalid_request', error_description: 'No such grant.' });
            expect(await (await fetch(`${edge.url}/oauth2/userinfo`)).json()).to.include({ error: 'invalid_client' });
            const program = await fetch(`${edge.url}/nowhere`);
            expect(program.headers.get('content-type')).to.equal('application/problem+json');
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
    it('keeps a defect to the log, under the id that the asker sees', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const { logger, lines, text } = memoryLog();
            const edge = __addDisposableResource(env_4, await startEdge({ logger }), true);
            for (const headers of [browser, { Accept: 'application/json' }]) {
                const answer = await fetch(`${edge.url}/defect`, { headers });
                const shown = await answer.text();
                expect(answer.status).to.equal(500);
                expect(shown).to.not.match(/select|password|\/srv|app\.ts|at /);
                const reference = /err_[0-9a-z]{16}/.exec(shown)?.[0];
                const line = lines.find((candidate) => candidate.reference === reference);
                expect(line?.err).to.have.property('stack').that.includes('select secret');
            }
            expect(text()).to.include('request failed');
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
    it('takes back what a failed answer had begun', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const begin = (status) => (ctx) => {
                ctx.set('Location', 'https://app.example/cb?code=secret');
                ctx.set('Content-Encoding', 'br');
                ctx.set('ETag', '"x"');
                ctx.cookies.set('session', 'half-made', { signed: false });
                ctx.status = 303;
                ctx.body = 'half';
                throw status === 500 ? new Error('late') : new AppError('invalid_input', 'No.');
            };
            const edge = __addDisposableResource(env_5, await startEdge({ routes: { '/late': begin(500), '/no': begin(400) } }), true);
            for (const [path, status, cookies] of [
                ['/late', 500, 0],
                ['/no', 400, 1],
            ]) {
                const answer = await fetch(edge.url + path, { headers: browser });
                expect(answer.status).to.equal(status);
                for (const name of ['location', 'content-encoding', 'etag'])
                    expect(answer.headers.has(name), name).to.equal(false);
                expect(answer.headers.getSetCookie()).to.have.length(cookies);
                expect(answer.headers.get('x-frame-options')).to.equal('DENY');
            }
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
    it('still answers when the error page cannot be drawn', async () => {
        const env_6 = { stack: [], error: void 0, hasError: false };
        try {
            const renderErrorPage = () => {
                throw new Error('template');
            };
            const message = 'No <script> here.';
            const refuse = () => {
                throw new AppError('forbidden', message);
            };
            const edge = __addDisposableResource(env_6, await startEdge({ renderErrorPage, routes: { '/no': refuse } }), true);
            const answer = await fetch(`${edge.url}/no`, { headers: browser });
            expect(answer.status).to.equal(403);
            expect(await answer.text())
                .to.include('&#60;script&#62;')
                .and.not.include('<script>');
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
    it('answers HEAD without a body and 405 with the methods that work', async () => {
        const env_7 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_7, await startEdge(), true);
            const head = await fetch(`${edge.url}/nowhere`, { method: 'HEAD', headers: browser });
            expect(head.status).to.equal(404);
            expect(await head.text()).to.equal('');
            const wrong = await fetch(`${edge.url}/OAUTH2/TOKEN/`, { method: 'DELETE' });
            expect([wrong.status, wrong.headers.get('allow')]).to.deep.equal([405, 'POST, OPTIONS']);
            expect(await wrong.json()).to.include({ error: 'invalid_request' });
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
    it('passes on what a router found and keeps the words of Koa’s own refusals', async () => {
        const env_8 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_8, await startEdge({
                routes: {
                    '/router': (ctx) => {
                        ctx.status = 405;
                        ctx.set('Allow', 'POST');
                    },
                    '/thrown': (ctx) => ctx.throw(409, 'Somebody was faster.'),
                    '/hidden': (ctx) => ctx.throw(502, 'upstream secret'),
                    '/text': () => {
                        throw 'a string';
                    },
                },
            }), true);
            const router = await fetch(`${edge.url}/router`);
            expect([router.status, router.headers.get('allow')]).to.deep.equal([405, 'POST']);
            expect(await (await fetch(`${edge.url}/thrown`)).json()).to.include({
                status: 409,
                detail: 'Somebody was faster.',
            });
            const hidden = await fetch(`${edge.url}/hidden`);
            expect([hidden.status, (await hidden.text()).includes('secret')]).to.deep.equal([500, false]);
            expect((await fetch(`${edge.url}/text`)).status).to.equal(500);
        }
        catch (e_8) {
            env_8.error = e_8;
            env_8.hasError = true;
        }
        finally {
            const result_8 = __disposeResources(env_8);
            if (result_8)
                await result_8;
        }
    });
    it('says 503 when the database is away, also where nobody expected it', async () => {
        const env_9 = { stack: [], error: void 0, hasError: false };
        try {
            const away = () => {
                throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' });
            };
            const edge = __addDisposableResource(env_9, await startEdge({ routes: { '/oauth2/userinfo': away } }), true);
            const answer = await fetch(`${edge.url}/oauth2/userinfo`);
            const text = await answer.text();
            expect([answer.status, answer.headers.get('retry-after')]).to.deep.equal([503, '2']);
            expect(JSON.parse(text)).to.include({ error: 'temporarily_unavailable' });
            expect(text).to.not.include('10.0.0.5');
        }
        catch (e_9) {
            env_9.error = e_9;
            env_9.hasError = true;
        }
        finally {
            const result_9 = __disposeResources(env_9);
            if (result_9)
                await result_9;
        }
    });
    it('does not mind a client that leaves before its answer', async () => {
        const env_10 = { stack: [], error: void 0, hasError: false };
        try {
            const { logger, lines } = memoryLog();
            let release = () => undefined;
            const slow = (ctx) => new Promise((resolve) => {
                release = () => {
                    ctx.body = 'late';
                    resolve();
                };
            });
            const edge = __addDisposableResource(env_10, await startEdge({ logger, routes: { '/slow': slow } }), true);
            const abort = new AbortController();
            const asked = fetch(`${edge.url}/slow`, { signal: abort.signal }).catch(() => 'gone');
            while (edge.seen.length === 0)
                await new Promise((resolve) => setImmediate(resolve));
            abort.abort();
            expect(await asked).to.equal('gone');
            while (lines.length === 0)
                await new Promise((resolve) => setImmediate(resolve));
            release();
            expect(lines[0]).to.include({ status: 499, method: 'GET' });
            const { answers } = await exchange(edge.port, [`GET /facts HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`]);
            expect(answers[0]?.status).to.equal(200);
            expect(lines.some(({ level }) => Number(level) >= 50)).to.equal(false);
        }
        catch (e_10) {
            env_10.error = e_10;
            env_10.hasError = true;
        }
        finally {
            const result_10 = __disposeResources(env_10);
            if (result_10)
                await result_10;
        }
    });
});
