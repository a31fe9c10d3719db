import type { ServerResponse } from 'node:http';
import type { Logger } from '../../shared/logger.ts';
import { arrivalOf } from './arrival.ts';
import type { AccessFacts, EdgeContext, EdgeMiddleware } from './context.ts';
import { routeOf } from './routes.ts';

/** One finished request, in words that make good labels: nothing in it was chosen by a stranger. */
export interface Observation {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What oidc-provider leaves on the context of a route of its own. */
interface ProviderFacts {
  readonly route?: string;
  readonly client?: { readonly clientId: string };
}

const factsOf = (ctx: EdgeContext): ProviderFacts | undefined => (ctx as { oidc?: ProviderFacts }).oidc;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Status of an answer that nobody waited for, as nginx writes it. */
const abandoned = 499;

interface Options {
  readonly logger: Logger;
  readonly observe?: (observation: Observation) => void;
}

/**
 * Watches one answer and writes its line when it has left, with the route's name and never the URL, which may hold codes
 * and tokens. `describe` is asked then.
 */
export const createAccessWriter =
  ({ logger, observe }: Options) =>
  (res: ServerResponse, describe: () => AccessFacts): void => {
    const start = performance.now();
    res.once('close', () => {
      const milliseconds = performance.now() - start;
      const status = res.writableFinished ? res.statusCode : abandoned;
      const { method: given, route, step = route, ip, requestId, client, refusal } = describe();
      const method = methods.has(given) ? given : 'OTHER';
      const ms = Math.round(milliseconds * 10) / 10;
      const line = { method, route: step, status, ms, ip, requestId, client, refusal };
      logger[status >= 500 ? 'error' : 'info'](line, 'request');
      observe?.({ method, route, status, seconds: milliseconds / 1000 });
    });
  };

function describe(ctx: EdgeContext): AccessFacts {
  const facts = factsOf(ctx);
  const { ip, requestId, refusal, route: step } = ctx.state;
  const own = routeOf(ctx);
  // The form that ends a sign-in goes on with the app's request; it is a form of ours all the same.
  const route = own === 'sign_in' ? own : (facts?.route ?? own);
  return { method: ctx.method, route, step, ip, requestId, client: facts?.client?.clientId, refusal };
}

/** Writes one line per request; see {@link createAccessWriter}. Goes outermost. */
export function createAccessLog(options: Options): EdgeMiddleware {
  const watch = createAccessWriter(options);
  return function accessLog(ctx, next) {
    const arrival = arrivalOf(ctx.req);
    if (arrival) arrival.describe = () => describe(ctx);
    else watch(ctx.res, () => describe(ctx));
    return next();
  };
}
