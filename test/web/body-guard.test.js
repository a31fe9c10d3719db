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
import { chunk, exchange } from './raw-http.js';
const limit = 65_536;
const head = (edge, path, headers, type = 'application/x-www-form-urlencoded') => `POST ${path} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n${type && `Content-Type: ${type}\r\n`}${headers}\r\n`;
const next = (edge) => `GET /facts HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const field = (length) => `a=${'x'.repeat(length - 2)}`;
describe('body guard', () => {
    it('hands on a body of any framing, complete and unread', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const sizes = [1, 2, 1000, 16_384, 16_385, 57_344, limit - 1, limit];
            for (const size of sizes) {
                const body = field(Math.max(size, 2));
                const wanted = { bytes: body.length };
                const whole = await exchange(edge.port, [head(edge, '/stream', `Content-Length: ${body.length}\r\n`), body]);
                expect(JSON.parse(whole.answers[0]?.body ?? ''), `length ${size}`).to.deep.equal(wanted);
                const parts = body.match(/.{1,7000}/gs)?.map(chunk) ?? [];
                const pieces = await exchange(edge.port, [head(edge, '/stream', chunked), ...parts, '0\r\n\r\n']);
                expect(JSON.parse(pieces.answers[0]?.body ?? ''), `chunked ${size}`).to.deep.equal(wanted);
                const atOnce = await exchange(edge.port, [`${head(edge, '/stream', chunked) + parts.join('')}0\r\n\r\n`]);
                expect(JSON.parse(atOnce.answers[0]?.body ?? ''), `one packet ${size}`).to.deep.equal(wanted);
            }
            expect(edge.seen.at(-1)?.state.body).to.have.length(limit);
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
    it('takes an empty chunked body for none', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge(), true);
            for (const path of ['/stream', '/form', '/oauth2/token']) {
                const { answers } = await exchange(edge.port, [head(edge, path, chunked), '0\r\n\r\n', next(edge)], {
                    expected: 2,
                });
                expect(answers.map(({ status }) => status), path).to.deep.equal([200, 200]);
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
    it('waits for a body that comes in drops', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge(), true);
            const body = field(40);
            const { answers } = await new Promise((resolve, reject) => {
                const pieces = [head(edge, '/form', `Content-Length: ${body.length}\r\n`), ...body];
                exchange(edge.port, pieces).then(resolve, reject);
            });
            expect(JSON.parse(answers[0]?.body ?? '')).to.deep.equal({ a: 'x'.repeat(38) });
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
    it('refuses a longer body with 413 and closes the connection, so that no request is left hanging', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_4, await startEdge(), true);
            const oversized = field(200_000);
            const framings = {
                'declared length': [head(edge, '/form', `Content-Length: ${oversized.length}\r\n`), oversized],
                'one chunk': [head(edge, '/form', chunked), chunk(oversized), '0\r\n\r\n'],
                'many chunks': [
                    head(edge, '/oauth2/token', chunked),
                    ...(oversized.match(/.{1,1000}/gs)?.map(chunk) ?? []),
                    '0\r\n\r\n',
                ],
                'one byte too many': [head(edge, '/form', chunked), chunk(field(limit + 1)), '0\r\n\r\n'],
                'no end': [head(edge, '/form', chunked), chunk(oversized)],
                'two megabytes': [head(edge, '/form', chunked), chunk('x'.repeat(2_000_000)), '0\r\n\r\n'],
            };
            for (const [name, pieces] of Object.entries(framings)) {
                const after = name === 'no end' ? [] : [next(edge)];
                const { answers, closed } = await exchange(edge.port, [...pieces, ...after], { expected: 2 });
                expect(closed, name).to.equal(true);
                expect(answers.map(({ status }) => status), name).to.deep.equal([413]);
                expect(answers[0]?.headers.get('connection'), name).to.equal('close');
                expect(answers[0]?.headers.get('content-security-policy'), name).to.be.a('string');
            }
            expect(edge.seen.map(({ path }) => path)).to.not.include.members(['/form', '/oauth2/token']);
            expect((await fetch(`${edge.url}/facts`)).status).to.equal(200);
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
    it('answers a short body that nobody reads and goes on with the next request', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_5, await startEdge(), true);
            const bodies = [
                [head(edge, '/nowhere', 'Content-Length: 30000\r\n'), field(30_000)],
                [head(edge, '/nowhere', chunked), chunk(field(60_000)), '0\r\n\r\n'],
                [head(edge, '/facts', 'Content-Length: 5\r\n', 'text/plain'), 'hello'],
            ];
            for (const [index, pieces] of bodies.entries()) {
                const { answers } = await exchange(edge.port, [...pieces, next(edge)], { expected: 2 });
                expect(answers[0]?.status, String(index)).to.be.within(404, 415);
                expect(answers[1]?.status, String(index)).to.equal(200);
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
    it('takes forms at pages and OAuth endpoints and JSON at the API, in UTF-8 and not compressed', async () => {
        const env_6 = { stack: [], error: void 0, hasError: false };
        try {
            const api = (ctx) => {
                ctx.body = {};
            };
            const edge = __addDisposableResource(env_6, await startEdge({ routes: { '/api/v1/x': api } }), true);
            const send = async (path, type, extra = '') => {
                const request = head(edge, path, `Content-Length: 2\r\n${extra}`, type);
                return (await exchange(edge.port, [request, 'a='])).answers[0]?.status;
            };
            expect(await send('/form', 'application/x-www-form-urlencoded')).to.equal(200);
            expect(await send('/form', 'application/x-www-form-urlencoded; charset=UTF-8')).to.equal(200);
            expect(await send('/api/v1/x', 'application/json')).to.equal(200);
            for (const type of [
                '',
                'application/json',
                'text/plain',
                'multipart/form-data; boundary=x',
                'application/x-www-form-urlencoded; charset=utf-7',
                'x',
                '/',
                ';',
            ]) {
                expect(await send('/form', type), type).to.equal(415);
                expect(await send('/oauth2/token', type), type).to.equal(415);
            }
            expect(await send('/api/v1/x', 'application/x-www-form-urlencoded')).to.equal(415);
            expect(await send('/form', 'application/x-www-form-urlencoded', 'Content-Encoding: gzip\r\n')).to.equal(415);
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
    it('leaves framing that can be read two ways to nobody', async () => {
        const env_7 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_7, await startEdge(), true);
            const requests = [
                `${head(edge, '/form', `Content-Length: 3\r\n${chunked}`)}0\r\n\r\n`,
                `${head(edge, '/form', 'Content-Length: 3\r\nContent-Length: 4\r\n')}a=b`,
                head(edge, '/form', 'Content-Length: -1\r\n'),
                `${head(edge, '/form', 'Content-Length: 3x\r\n')}a=b`,
                head(edge, '/form', 'Transfer-Encoding: gzip\r\n'),
                `${head(edge, '/form', 'Transfer-Encoding: chunked, identity\r\n')}0\r\n\r\n`,
                `${head(edge, '/form', chunked)}zz\r\n`,
            ];
            for (const request of requests) {
                const { answers, closed } = await exchange(edge.port, [request, next(edge)], { expected: 2 });
                expect(closed, request).to.equal(true);
                expect(answers.map(({ status }) => status), request).to.deep.equal([400]);
                expect(answers[0]?.headers.get('x-content-type-options'), request).to.equal('nosniff');
            }
            expect(edge.seen).to.have.length(0);
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
    it('survives a client that leaves in the middle of its body', async () => {
        const env_8 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_8, await startEdge(), true);
            const { connect } = await import('node:net');
            await new Promise((resolve) => {
                const socket = connect(edge.port, '127.0.0.1');
                socket.write(`${head(edge, '/form', 'Content-Length: 100\r\n')}a=`, () => socket.destroy());
                socket.on('close', () => resolve());
            });
            expect((await fetch(`${edge.url}/facts`)).status).to.equal(200);
            expect(edge.seen).to.have.length(1);
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
});
