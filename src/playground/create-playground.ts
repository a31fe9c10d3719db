import { join } from 'node:path';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import { systemClock } from '../shared/clock.ts';
import { AppError, type ErrorCode, reasonOf } from '../shared/errors.ts';
import { createAssets } from '../web/http/assets.ts';
import { addCodePages } from './code-pages.ts';
import { explainProblem, isUnreachable, type Problem } from './explain-problem.ts';
import { hostGuard, securityHeaders } from './guards.ts';
import type { PlaygroundOptions } from './options.ts';
import { addDevicePages, addMachinePages } from './other-pages.ts';
import { type PageContext, show } from './page-context.ts';
import { createRelyingParty } from './relying-party.ts';
import { createPageRenderer } from './render-page.ts';
import { addTokenPages } from './token-pages.ts';
import { Visits } from './visits.ts';

const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  expired: 410,
  rate_limited: 429,
  unavailable: 503,
};

const titles: Partial<Record<ErrorCode, string>> = {
  forbidden: 'The app refused this',
  not_found: 'Not here',
};

/** Refusals that Koa itself made, for example by the host guard; it answers them in plain text. */
const isKoaRefusal = (error: unknown): boolean => error instanceof Error && 'expose' in error && error.expose === true;

function showProblem(ctx: Context, context: PageContext, error: unknown, logger: PlaygroundOptions['logger']): void {
  if (error instanceof AppError) {
    const problem: Problem = { title: titles[error.code] ?? 'That does not work', advice: error.message };
    show(ctx, context, 'problem', { problem }, statuses[error.code]);
    return;
  }
  const away = isUnreachable(error);
  if (away) ctx.set('Retry-After', '2');
  else logger.error({ err: error }, 'the playground failed');
  show(ctx, context, 'problem', { problem: explainProblem(error) }, away ? 503 : 500);
}

function problemPage(context: PageContext, logger: PlaygroundOptions['logger']): Middleware {
  return async function problems(ctx, next) {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) {
        throw new AppError('not_found', 'The playground has no such page.');
      }
    } catch (error) {
      if (isKoaRefusal(error)) throw error;
      showProblem(ctx, context, error, logger);
    }
  };
}

/** Builds the playground for the origin that it answers at. */
export function createPlayground(options: PlaygroundOptions, origin: string): Koa {
  const { issuer, clients, viewsDir, apis = [], clock = systemClock, patienceSeconds = 5, logger } = options;
  const assets = createAssets(join(viewsDir, 'assets'));
  const context: PageContext = {
    origin,
    clients,
    clock,
    apis,
    party: createRelyingParty({ issuer, clients, patienceSeconds }),
    visits: new Visits(clock),
    render: createPageRenderer({ viewsDir, assets, issuer, clients }),
  };
  const router = new Router();
  addCodePages(router, context);
  addTokenPages(router, context);
  if (clients.device) addDevicePages(router, context);
  if (clients.machine) addMachinePages(router, context);

  const app = new Koa();
  app.on('error', (error: unknown) => logger.debug({ reason: reasonOf(error) }, 'playground'));
  app.use(securityHeaders(issuer)).use(hostGuard(origin)).use(assets.middleware);
  app.use(problemPage(context, logger)).use(router.routes());
  return app;
}
