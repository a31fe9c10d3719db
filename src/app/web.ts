import { join } from 'node:path';
import Router from '@koa/router';
import Koa from 'koa';
import type { Config } from '../config/load.ts';
import type { Oidc } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { createAccessLog } from '../web/http/access-log.ts';
import { type Assets, createAssets } from '../web/http/assets.ts';
import { createBodyGuard } from '../web/http/body-guard.ts';
import { createClientAddress } from '../web/http/client-address.ts';
import { type Csrf, createCsrf } from '../web/http/csrf.ts';
import { createErrorHandler } from '../web/http/error-handler.ts';
import { createHostGuard, pinToIssuer } from '../web/http/host-guard.ts';
import { methodGuard } from '../web/http/method-guard.ts';
import { createRenderer, type Render } from '../web/http/render.ts';
import { createRequestId } from '../web/http/request-id.ts';
import { routeFor } from '../web/http/routes.ts';
import { createSecurityHeaders } from '../web/http/security-headers.ts';
import { storeFailure } from '../web/http/store-failure.ts';
import { createUnitOfWork } from '../web/http/unit-of-work.ts';
import type { Metrics } from '../web/metrics.ts';
import { createFormGuard, createPageWriter, type FormGuard, type PageWriter } from '../web/page-writer.ts';

const viewsDir = join(import.meta.dirname, '..', '..', 'views');

/** What every page needs. */
export interface PageTools {
  readonly assets: Assets;
  readonly render: Render;
  readonly csrf: Csrf;
  readonly pages: PageWriter;
  readonly forms: FormGuard;
}

/** Compiles the views and makes the tools of the pages. */
export function createPageTools(config: Config, secrets: Parameters<typeof createCsrf>[0]['secrets']): PageTools {
  const assets = createAssets(join(viewsDir, 'assets'));
  const render = createRenderer({ viewsDir, cache: config.NODE_ENV !== 'development', assets });
  const csrf = createCsrf({ secrets, secureCookies: config.issuer.startsWith('https:'), issuer: config.issuer });
  return { assets, render, csrf, pages: createPageWriter(render, csrf), forms: createFormGuard(csrf) };
}

interface WebParts {
  readonly config: Config;
  readonly database: Database;
  readonly oidc: Oidc;
  readonly tools: PageTools;
  readonly routers: readonly Router[];
  /** Limits on protocol endpoints, keyed on the matched route. */
  readonly limits: readonly Koa.Middleware[];
  /** Runs before the protocol: keys that are too old are read again. */
  readonly ensureFresh: () => Promise<void>;
  readonly cookieKeys: string[];
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

const protocolKinds = new Set(['oauth', 'flow']);

function useEdge(app: Koa, { config, tools, metrics, clock, logger }: WebParts): void {
  const edge = app as unknown as Koa<never, never> & { use(middleware: unknown): void };
  pinToIssuer(app, config.issuer);
  for (const middleware of [
    createClientAddress({ trustedProxies: config.SALLYPORT_TRUSTED_PROXIES }),
    createRequestId({ clock }),
    createAccessLog({ logger, observe: (seen) => metrics.observeRequest(seen) }),
    createSecurityHeaders({ issuer: config.issuer, metadataMaxAge: config.SALLYPORT_JWKS_MAX_AGE, popups: true }),
    createErrorHandler({
      logger,
      renderErrorPage: (ctx, page) => tools.render('error', page, { requestId: ctx.state.requestId }),
    }),
    createHostGuard({ issuer: config.issuer }),
    methodGuard,
    createBodyGuard({ limitBytes: 64 * 1024 }),
    tools.assets.middleware,
  ]) {
    edge.use(middleware);
  }
}

/** The public server: the edge first, then the pages, then the protocol. */
export function createWeb(parts: WebParts): Koa {
  const { database, oidc, routers, limits, ensureFresh, cookieKeys, logger } = parts;
  const app = new Koa();
  app.keys = cookieKeys;
  app.silent = true;
  app.on('error', (error) => logger.error({ err: error }, 'the response failed'));
  useEdge(app, parts);

  const home = new Router();
  home.get('home', '/', async (ctx) => parts.tools.pages.show(ctx, 'home', { links: [] }));
  for (const router of [home, ...routers]) {
    app.use(router.routes() as Koa.Middleware);
  }
  const unitOfWork = createUnitOfWork({ database, applies: (ctx) => protocolKinds.has(routeFor(ctx).kind) });
  app.use(unitOfWork as unknown as Koa.Middleware);
  app.use(storeFailure as unknown as Koa.Middleware);
  for (const limit of limits) app.use(limit);
  app.use(async function freshKeys(_ctx, next) {
    await ensureFresh();
    return next();
  });
  app.use(oidc.middleware);
  return app;
}
