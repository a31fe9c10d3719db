import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import Router from '@koa/router';
import Koa from 'koa';
import compose from 'koa-compose';
import type { Config } from '../config/load.ts';
import { type Oidc, protocolRoutes } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { CookieSignatures } from '../shared/cookie-signatures.ts';
import type { Logger } from '../shared/logger.ts';
import { createAddressGuard } from '../web/http/address-guard.ts';
import { unlessDeclined } from '../web/http/arrival.ts';
import { type Assets, createAssets } from '../web/http/assets.ts';
import { type Csrf, createCsrf } from '../web/http/csrf.ts';
import { type EdgeOptions, useEdge } from '../web/http/edge.ts';
import { createPlainLane } from '../web/http/plain-lane.ts';
import { postAsGet } from '../web/http/post-as-get.ts';
import { createRenderer, type Render } from '../web/http/render.ts';
import { routeFor } from '../web/http/routes.ts';
import type { Metrics } from '../web/metrics.ts';
import type { HomePage } from '../web/page-models.ts';
import { createFormGuard, createPageWriter, type FormGuard, type PageWriter } from '../web/page-writer.ts';
import { auditContext } from './audit.ts';
import type { Limits } from './limits.ts';

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
  const csrf = createCsrf({ secrets, secureCookies: config.secureCookies, issuer: config.issuer });
  return { assets, render, csrf, pages: createPageWriter(render, csrf), forms: createFormGuard(csrf) };
}

interface WebParts {
  readonly config: Config;
  readonly oidc: Oidc;
  readonly tools: PageTools;
  readonly routers: readonly Router[];
  /** What the front page says to this browser. */
  readonly home: (ctx: Koa.Context) => Promise<HomePage>;
  /** Limits on protocol endpoints, keyed on the matched route. */
  readonly limits: Pick<Limits, 'middleware' | 'mayPass'>;
  /** Why nobody may sign in from an address, for the log; left out where everybody may. */
  readonly refuses: ((address: string) => string | undefined) | undefined;
  /** Shows the first page of a sign-in in the answer to the app's request. */
  readonly arrival: Koa.Middleware;
  /** What each request of the protocol runs in. */
  readonly asProtocol: Koa.Middleware;
  /** Keys that are too old are read again. */
  readonly ensureFresh: () => Promise<void>;
  readonly cookieSignatures: CookieSignatures;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where finished requests are written. */
  readonly access: Logger;
  /** False leaves the short way out, which must make no difference but in time; for tests. */
  readonly plainLane?: boolean | undefined;
}

const serviceKinds = new Set(['oauth', 'metadata']);
/** Where an app's request arrives and goes on: the protocol's own, though people see them. */
const requestNames = new Set(['authorization', 'resume']);

/** The public server: the edge first, then the pages, then the protocol; and a short way past all of them. */
export function createWeb(parts: WebParts): RequestListener {
  const { config, tools, oidc, routers, limits, ensureFresh, cookieSignatures, metrics, clock, logger, access } = parts;
  const app = new Koa();
  app.keys = cookieSignatures;
  app.silent = true;
  const edge: EdgeOptions = {
    issuer: config.issuer,
    trustedProxies: config.SALLYPORT_TRUSTED_PROXIES,
    metadataMaxAge: config.SALLYPORT_JWKS_MAX_AGE,
    popups: true,
    bodyLimit: 64 * 1024,
    clock,
    logger,
    access,
    renderErrorPage: (ctx, page) => tools.render('error', page, { requestId: ctx.state.requestId }),
    observe: (seen) => metrics.observeRequest(seen),
  };
  useEdge(app, edge);
  app.use(auditContext as unknown as Koa.Middleware);
  if (parts.refuses) app.use(createAddressGuard(parts.refuses) as unknown as Koa.Middleware);
  app.use(tools.assets.middleware);
  for (const limit of limits.middleware) app.use(limit);

  const home = new Router();
  home.get('home', '/', async (ctx) => tools.pages.show(ctx, 'home', await parts.home(ctx)));
  const pages = compose([home, ...routers].map((router) => router.routes() as Koa.Middleware));
  app.use(function pageRoutes(ctx, next) {
    // The endpoints that are called all day need not be compared with every page.
    const { kind, name } = routeFor(ctx);
    const isProtocol = requestNames.has(name) || (serviceKinds.has(kind) && name !== 'authorization_challenge');
    return isProtocol ? next() : pages(ctx, next);
  });
  app.use(async function freshKeys(_ctx, next) {
    await ensureFresh();
    return next();
  });
  app.use(unlessDeclined(oidc.plainRequests));
  app.use(parts.arrival);
  app.use(parts.asProtocol);
  app.use(postAsGet as unknown as Koa.Middleware);
  app.use(oidc.middleware);
  const ordinary = app.callback();
  if (parts.plainLane === false) return ordinary;
  return createPlainLane({
    ...edge,
    paths: [protocolRoutes.token, protocolRoutes.introspection],
    mayPass: limits.mayPass,
    prepare: ensureFresh,
    answer: oidc.answerPlain,
    ordinary,
  });
}
