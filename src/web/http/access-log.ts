import type { Logger } from '../../shared/logger.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
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

/**
 * Writes one line per request when its answer has left, with the route's name and never the URL, which may hold codes
 * and tokens. Goes outermost.
 */
export function createAccessLog(options: {
  readonly logger: Logger;
  readonly observe?: (observation: Observation) => void;
}): EdgeMiddleware {
  return function accessLog(ctx, next) {
    const start = performance.now();
    ctx.res.once('close', () => {
      const milliseconds = performance.now() - start;
      const status = ctx.res.writableFinished ? ctx.res.statusCode : abandoned;
      const facts = factsOf(ctx);
      const route = facts?.route ?? routeOf(ctx);
      const method = methods.has(ctx.method) ? ctx.method : 'OTHER';
      const line = {
        method,
        route: ctx.state.route ?? route,
        status,
        ms: Math.round(milliseconds * 10) / 10,
        ip: ctx.state.ip,
        requestId: ctx.state.requestId,
        client: facts?.client?.clientId,
        refusal: ctx.state.refusal,
      };
      options.logger[status >= 500 ? 'error' : 'info'](line, 'request');
      options.observe?.({ method, route, status, seconds: milliseconds / 1000 });
    });
    return next();
  };
}
