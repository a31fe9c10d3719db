import Koa from 'koa';
import { systemClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { EdgeContext } from '../../src/web/http/context.ts';
import { createCsrf } from '../../src/web/http/csrf.ts';
import { type EdgeOptions, useEdge } from '../../src/web/http/edge.ts';
import { parseForm } from '../../src/web/http/form.ts';
import { type HttpServer, listen } from '../../src/web/http/server.ts';

/** Where the edge's tests knock. The routes say what came through to them. */
export interface EdgeApp extends AsyncDisposable {
  readonly http: HttpServer;
  readonly port: number;
  readonly url: string;
  /** Every context that reached a route. */
  readonly seen: EdgeContext[];
  readonly app: Koa;
}

type Handler = (ctx: EdgeContext) => unknown;

/** Starts the edge alone, with an issuer whose port is the one it listens on unless another issuer is given. */
export async function startEdge(
  options: Partial<EdgeOptions> & { readonly routes?: Readonly<Record<string, Handler>> } = {},
): Promise<EdgeApp> {
  const app = new Koa();
  const seen: EdgeContext[] = [];
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
    access: options.logger ?? silentLogger(),
    renderErrorPage: (_ctx, page) => `<!DOCTYPE html><p>${page.title} ${page.message} ${page.reference}`,
    ...options,
  });
  const csrf = createCsrf({
    secrets: new SecretRing(['s'.repeat(40)]),
    secureCookies: issuer.startsWith('https:'),
    issuer,
  });
  const routes: Record<string, Handler> = {
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
      const chunks: Buffer[] = [];
      for await (const part of ctx.req.iterator({ destroyOnReturn: false })) chunks.push(part as Buffer);
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
      if (ctx.state.body?.includes('fail')) throw new AppError('invalid_input', 'No such grant.');
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
