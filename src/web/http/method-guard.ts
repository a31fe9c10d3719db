import type { EdgeMiddleware } from './context.ts';
import { routeFor } from './routes.ts';

/** Answers 405 with `Allow` for a method that the route does not have (RFC 9110 §15.5.6). */
export const methodGuard: EdgeMiddleware = function methodGuard(ctx, next) {
  const { methods } = routeFor(ctx);
  if (!methods.includes(ctx.method)) {
    ctx.throw(405, `This address takes ${methods.join(', ')}.`, { headers: { Allow: methods.join(', ') } });
  }
  return next();
};
