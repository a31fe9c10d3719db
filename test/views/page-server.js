import { createServer } from 'node:http';
import { resolve } from 'node:path';
import Koa from 'koa';
import { createAssets } from '../../src/web/http/assets.js';
import { createRenderer } from '../../src/web/http/render.js';
import { bareHeaders } from '../../src/web/http/security-headers.js';
import { fixtures } from './fixtures.js';
const viewsDir = resolve(import.meta.dirname, '../../views');
export const assets = createAssets(resolve(viewsDir, 'assets'));
export const render = createRenderer({
    viewsDir,
    cache: true,
    assets,
    site: { name: 'Sallyport', helpUrl: '/help', privacyUrl: '/privacy', supportEmail: 'help@fernhill.example' },
});
/** A fixture as a whole document. */
export const html = ({ page, model, dir }) => render(page, model, { requestId: 'req_test', csrfToken: 'csrf-of-the-test', dir });
/** Serves every fixture at `/<id>` under the headers of the real server, and keeps what forms post. */
export async function startPageServer() {
    const posted = [];
    let held;
    const koa = new Koa();
    koa.use(async (ctx, next) => {
        ctx.set(bareHeaders);
        await next();
    });
    koa.use(assets.middleware);
    koa.use(async (ctx) => {
        if (ctx.method === 'POST') {
            let body = '';
            for await (const chunk of ctx.req)
                body += chunk;
            posted.push(body);
            await held;
            if (body.includes('action=download'))
                ctx.attachment('backup-codes.txt');
            ctx.body = 'posted';
            return;
        }
        const fixture = fixtures.find(({ id }) => ctx.path === `/${id}`);
        if (!fixture)
            return;
        ctx.type = 'html';
        ctx.body = html(fixture);
    });
    const server = createServer(koa.callback());
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        origin: `http://127.0.0.1:${server.address().port}`,
        posted,
        hold() {
            const gate = Promise.withResolvers();
            held = gate.promise;
            return gate.resolve;
        },
        close: () => new Promise((done) => {
            server.closeAllConnections();
            server.close(() => done());
        }),
    };
}
