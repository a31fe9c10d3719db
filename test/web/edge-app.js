import Koa from 'koa';
import { systemClock } from '../../src/shared/clock.js';
import { SecretRing } from '../../src/shared/crypto.js';
import { AppError } from '../../src/shared/errors.js';
import { silentLogger } from '../../src/shared/logger.js';
import { createCsrf } from '../../src/web/http/csrf.js';
import { useEdge } from '../../src/web/http/edge.js';
import { parseForm } from '../../src/web/http/form.js';
import { listen } from '../../src/web/http/server.js';
/** Starts the edge alone, with an issuer whose port is the one it listens on unless another issuer is given. */
export async function startEdge(options = {}) {
    const app = new Koa();
    const seen = [];
    const http = await listen((req, res) => void callback(req, res), { port: 0, host: '127.0.0.1' });
    const issuer = options.issuer ?? `http://localhost:${http.port}`;
    useEdge(app, {
        issuer,
        trustedProxies: [],
        metadataMaxAge: 300,
        popups: false,
        bodyLimit: 65_536,
        clock: systemClock,
        logger: silentLogger(),
        renderErrorPage: (_ctx, page) => `<!DOCTYPE html><p>${page.title} ${page.message} ${page.reference}`,
        ...options,
    });
    const csrf = createCsrf({
        secrets: new SecretRing(['s'.repeat(40)]),
        secureCookies: issuer.startsWith('https:'),
        issuer,
    });
    const routes = {
        '/facts': (ctx) => {
            const { host, hostname, protocol, secure, href, ip } = ctx;
            ctx.body = { host, hostname, protocol, secure, href, ip, requestId: ctx.state.requestId, state: ctx.state };
        },
        '/form': (ctx) => {
            ctx.body = { ...Object.fromEntries(parseForm(ctx)) };
        },
        '/csrf': (ctx) => {
            if (ctx.method !== 'POST') {
                ctx.body = { token: csrf.issue(ctx), again: csrf.issue(ctx) };
                return;
            }
            csrf.check(ctx, parseForm(ctx));
            ctx.body = { accepted: true };
        },
        '/stream': async (ctx) => {
            const chunks = [];
            for await (const part of ctx.req.iterator({ destroyOnReturn: false }))
                chunks.push(part);
            ctx.body = { bytes: Buffer.concat(chunks).length };
        },
        '/defect': () => {
            throw new Error('select secret from password; at /srv/app.ts');
        },
        '/limited': () => {
            throw new AppError('rate_limited', 'Too many tries.', { retryAfter: 12.2, reason: 'sign_in' });
        },
        '/redirect': (ctx) => ctx.redirect('/elsewhere'),
        '/oauth2/token': (ctx) => {
            if (ctx.state.body?.includes('fail'))
                throw new AppError('invalid_input', 'No such grant.');
            ctx.body = { ok: true };
        },
        '/oauth2/jwks': (ctx) => {
            ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
            ctx.vary('Origin');
            ctx.body = { keys: [] };
        },
        ...options.routes,
    };
    app.use(async (ctx) => {
        seen.push(ctx);
        await routes[ctx.path]?.(ctx);
    });
    const callback = app.callback();
    return {
        http,
        app,
        port: http.port,
        url: `http://localhost:${http.port}`,
        seen,
        async [Symbol.asyncDispose]() {
            await http.drain({ graceSeconds: 0 });
        },
    };
}
