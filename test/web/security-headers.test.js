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
var __rewriteRelativeImportExtension = (this && this.__rewriteRelativeImportExtension) || function (path, preserveJsx) {
    if (typeof path === "string" && /^\.\.?\//.test(path)) {
        return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, function (m, tsx, d, ext, cm) {
            return tsx ? preserveJsx ? ".jsx" : ".js" : d && (!ext || !cm) ? m : (d + ext + "." + cm.toLowerCase() + "js");
        });
    }
    return path;
};
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { startEdge } from './edge-app.js';
import { exchange } from './raw-http.js';
const everywhere = {
    'content-security-policy': /^default-src 'none'; .*frame-ancestors 'none'; object-src 'none'/,
    'x-frame-options': /^DENY$/,
    'x-content-type-options': /^nosniff$/,
    'referrer-policy': /^no-referrer$/,
    'permissions-policy': /camera=\(\)/,
    'cache-control': /^no-store$/,
};
const page = (ctx) => {
    ctx.body = '<!DOCTYPE html>';
};
describe('security headers', () => {
    it('are on every answer, whatever its status and method', async () => {
        const env_1 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_1, await startEdge(), true);
            const request = (line, rest = '') => `${line} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n${rest}\r\n`;
            const cases = [
                [200, request('GET /facts')],
                [200, request('HEAD /facts')],
                [302, request('GET /redirect')],
                [400, request('GET http://x/')],
                [400, 'NONSENSE\r\n\r\n'],
                [400, request('GET /facts', 'Bad Header: x\r\n')],
                [403, request('POST /csrf')],
                [404, request('GET /nowhere')],
                [404, request('OPTIONS /nowhere')],
                [405, request('GET /oauth2/token')],
                [405, request('PUT /oauth2/authorize')],
                [405, request('TRACE /facts')],
                [405, request('PROPFIND /facts')],
                [413, request('POST /facts', 'Content-Length: 900000\r\n')],
                [415, `${request('POST /facts', 'Content-Length: 1\r\n')}x`],
                [417, request('POST /facts', 'Expect: miracles\r\n')],
                [421, 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
                [429, request('GET /limited')],
                [431, request('GET /facts', `X: ${'x'.repeat(17_000)}\r\n`)],
                [500, request('GET /defect')],
            ];
            for (const [status, text] of cases) {
                const { answers } = await exchange(edge.port, [text], { expected: 1 });
                expect(answers[0]?.status, text.slice(0, 60)).to.equal(status);
                for (const [name, value] of Object.entries(everywhere)) {
                    expect(answers[0]?.headers.get(name), `${status} ${name}`).to.match(value);
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
    it('keep the opener away unless sign-in in a popup is wanted', async () => {
        const openerPolicies = async (popups) => {
            const env_2 = { stack: [], error: void 0, hasError: false };
            try {
                const edge = __addDisposableResource(env_2, await startEdge({ popups, routes: { '/sign-in/a/login': page, '/account': page } }), true);
                const answers = await Promise.all(['/sign-in/a/login', '/account'].map((path) => fetch(edge.url + path)));
                return answers.map(({ headers }) => headers.get('cross-origin-opener-policy'));
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
        };
        expect(await openerPolicies(false)).to.deep.equal(['same-origin', 'same-origin']);
        expect(await openerPolicies(true)).to.deep.equal(['unsafe-none', 'same-origin']);
    });
    it('limit where forms lead on the consoles only, because a sign-in ends with a redirect to another origin', async () => {
        const env_3 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_3, await startEdge({ routes: { '/sign-in/a/login': page, '/account/x': page, '/admin': page } }), true);
            const policy = async (path) => (await fetch(edge.url + path)).headers.get('content-security-policy');
            expect(await policy('/sign-in/a/login')).to.not.include('form-action');
            expect(await policy('/oauth2/authorize')).to.not.include('form-action');
            expect(await policy('/account/x')).to.include("form-action 'self'");
            expect(await policy('/admin')).to.include("form-action 'self'");
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
    it('ask for https for a year when the issuer has it', async () => {
        const env_4 = { stack: [], error: void 0, hasError: false };
        try {
            const plain = __addDisposableResource(env_4, await startEdge(), true);
            expect((await fetch(`${plain.url}/facts`)).headers.has('strict-transport-security')).to.equal(false);
            const tls = __addDisposableResource(env_4, await startEdge({ issuer: 'https://id.example.com' }), true);
            const { answers } = await exchange(tls.port, ['GET /facts HTTP/1.1\r\nHost: id.example.com\r\n\r\n']);
            expect(answers[0]?.headers.get('strict-transport-security')).to.equal('max-age=31536000');
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
    it('let anybody read and cache the JWKS, but not its errors', async () => {
        const env_5 = { stack: [], error: void 0, hasError: false };
        try {
            const edge = __addDisposableResource(env_5, await startEdge({ metadataMaxAge: 120 }), true);
            const answer = await fetch(`${edge.url}/oauth2/jwks`, {
                headers: { Origin: 'https://spa.example' },
            });
            expect(answer.headers.get('cache-control')).to.equal('public, max-age=120');
            expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
            expect(answer.headers.has('vary')).to.equal(false);
            expect(answer.headers.has('access-control-allow-credentials')).to.equal(false);
            const missing = await fetch(`${edge.url}/.well-known/openid-configuration`);
            expect(missing.status).to.equal(404);
            expect(missing.headers.get('cache-control')).to.equal('no-store');
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
    it('leave room for the hash that oidc-provider adds for its form_post page', async () => {
        const env_6 = { stack: [], error: void 0, hasError: false };
        try {
            const require = createRequire(import.meta.url);
            const file = require.resolve('oidc-provider').replace(/index\.js$/, 'response_modes/form_post.js');
            const { default: formPost } = (await import(__rewriteRelativeImportExtension(file)));
            const respond = (ctx) => formPost(ctx, 'https://app.example/cb', { code: 'x' });
            const edge = __addDisposableResource(env_6, await startEdge({ routes: { '/oauth2/authorize': respond } }), true);
            const policy = (await fetch(`${edge.url}/oauth2/authorize`)).headers.get('content-security-policy') ?? '';
            expect(policy).to.match(/script-src 'self' 'sha256-[\w+/=]{44}'/);
            expect(policy).to.include("frame-ancestors 'none'");
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
