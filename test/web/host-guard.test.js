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
import { exchange } from './raw-http.js';
const get = (host, extra = '', target = '/facts') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${extra}Accept: text/html\r\n\r\n`;
describe('host guard', () => {
    it('lets in the issuer and says where it is to everybody else', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const own = `localhost:${edge.port}`;
            for (const host of [own, own.toUpperCase()]) {
                expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(200);
            }
            const strangers = [
                'evil.example',
                'localhost',
                `127.0.0.1:${edge.port}`,
                `localhost.:${edge.port}`,
                `user@${own}`,
                `evil.example:80@${own}`,
                `${own}:80`,
                `${own}@evil.example`,
                `${own}.evil.example`,
                `${own}, evil.example`,
                `[::1]:${edge.port}`,
                '',
            ];
            for (const host of strangers) {
                const [answer] = (await exchange(edge.port, [get(host)])).answers;
                expect(answer?.status, host).to.equal(421);
                expect(answer?.body, host).to.include(edge.url).and.not.include('evil');
                expect(answer?.headers.get('content-security-policy'), host).to.include("default-src 'none'");
            }
            expect(edge.seen).to.have.length(2);
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
    it('takes the default port as part of the same address', async () => {
        const env_2 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_2, await startEdge({ issuer: 'https://id.example.com' }), true);
            for (const host of ['id.example.com', 'id.example.com:443']) {
                expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(200);
            }
            for (const host of ['id.example.com:80', 'id.example.com:4430', 'id.example.com:']) {
                expect((await exchange(edge.port, [get(host)])).answers[0]?.status, host).to.equal(421);
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
    it('derives every URL from the issuer, whatever forwarded headers say', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge({ issuer: 'https://id.example.com', trustedProxies: ['127.0.0.1'] }), true);
            const lies = 'X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nForwarded: host=evil.example\r\n';
            const [answer] = (await exchange(edge.port, [get('id.example.com', lies, '/facts?a=1')])).answers;
            expect(JSON.parse(answer?.body ?? '')).to.include({
                host: 'id.example.com',
                hostname: 'id.example.com',
                protocol: 'https',
                secure: true,
                href: 'https://id.example.com/facts?a=1',
            });
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
    it('refuses targets that are not paths, two Hosts and none', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_4, await startEdge(), true);
            const own = `localhost:${edge.port}`;
            const requests = [
                get(own, '', `http://${own}/facts`),
                get(own, '', 'http://evil.example/facts'),
                get(own, '', 'https://[::/facts'),
                `OPTIONS * HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
                get(own, 'Host: evil.example\r\n'),
                get(own, `hOST: ${own}\r\n`),
                'GET /facts HTTP/1.1\r\n\r\n',
                'GET /facts HTTP/1.0\r\n\r\n',
            ];
            for (const request of requests) {
                const [answer] = (await exchange(edge.port, [request])).answers;
                expect(answer?.status, request).to.equal(400);
                expect(answer?.headers.get('x-frame-options'), request).to.equal('DENY');
            }
            expect(edge.seen).to.have.length(0);
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
    it('treats a path that looks like an authority as a path', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_5, await startEdge(), true);
            const [answer] = (await exchange(edge.port, [get(`localhost:${edge.port}`, '', '//evil.example/facts')])).answers;
            expect(answer?.status).to.equal(404);
            expect(edge.seen[0]?.href).to.equal(`${edge.url}//evil.example/facts`);
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
