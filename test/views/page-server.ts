import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import Koa from 'koa';
import { createAssets } from '../../src/web/http/assets.ts';
import { createRenderer, type Render } from '../../src/web/http/render.ts';
import { bareHeaders } from '../../src/web/http/security-headers.ts';
import { type Fixture, fixtures } from './fixtures.ts';

const viewsDir = resolve(import.meta.dirname, '../../views');
export const assets = createAssets(resolve(viewsDir, 'assets'));
export const render: Render = createRenderer({
  viewsDir,
  cache: true,
  assets,
  site: { name: 'Sallyport', helpUrl: '/help', privacyUrl: '/privacy', supportEmail: 'help@fernhill.example' },
});

/** A fixture as a whole document. */
export const html = ({ page, model, dir }: Fixture): string =>
  render(page, model, { requestId: 'req_test', csrfToken: 'csrf-of-the-test', dir });

/** Serves every fixture at `/<id>` under the headers of the real server, and keeps what forms post. */
export async function startPageServer(): Promise<{
  readonly origin: string;
  readonly posted: string[];
  /** Lets posts wait for their answer until the returned function is called. */
  hold(): () => void;
  close(): Promise<void>;
}> {
  const posted: string[] = [];
  let held: Promise<void> | undefined;
  const koa = new Koa();
  koa.use(async (ctx, next) => {
    ctx.set(bareHeaders);
    await next();
  });
  koa.use(assets.middleware);
  koa.use(async (ctx) => {
    if (ctx.method === 'POST') {
      let body = '';
      for await (const chunk of ctx.req) body += chunk;
      posted.push(body);
      await held;
      if (body.includes('action=download')) ctx.attachment('backup-codes.txt');
      ctx.body = 'posted';
      return;
    }
    const fixture = fixtures.find(({ id }) => ctx.path === `/${id}`);
    if (!fixture) return;
    ctx.type = 'html';
    ctx.body = html(fixture);
  });
  const server = createServer(koa.callback());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posted,
    hold() {
      const gate = Promise.withResolvers<void>();
      held = gate.promise;
      return gate.resolve;
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
