import type { Clock } from '../../shared/clock.ts';
import { newReference } from '../../shared/ids.ts';
import type { EdgeMiddleware } from './context.ts';

const acceptable = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * Names the request, for the log, the audit rows and the page that shows an error. An id that came with the request
 * is kept only when a trusted proxy sent it. Needs `clientAddress` before it.
 */
export function createRequestId(options: { readonly clock: Clock }): EdgeMiddleware {
  return function requestId(ctx, next) {
    const given = ctx.state.trustedPeer ? ctx.get('X-Request-Id') : '';
    ctx.state.requestId = acceptable.test(given) ? given : newReference('req');
    ctx.state.startedAt = options.clock.now();
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };
}
