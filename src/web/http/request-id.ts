import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../shared/clock.ts';
import { newReference } from '../../shared/ids.ts';
import { arrivalOf } from './arrival.ts';
import type { EdgeMiddleware } from './context.ts';

const acceptable = /^[A-Za-z0-9._-]{8,64}$/;

/** The id of a request: the one that came with it when a trusted proxy sent it, else a new one. */
export function requestIdFor(req: IncomingMessage, trustedPeer: boolean): string {
  const given = trustedPeer ? String(req.headers['x-request-id'] ?? '') : '';
  return acceptable.test(given) ? given : newReference('req');
}

/** Names the request, for the log, the audit rows and the page that shows an error. Needs `clientAddress` before it. */
export function createRequestId(options: { readonly clock: Clock }): EdgeMiddleware {
  return function requestId(ctx, next) {
    const arrival = arrivalOf(ctx.req);
    ctx.state.requestId = arrival?.requestId ?? requestIdFor(ctx.req, ctx.state.trustedPeer);
    ctx.state.startedAt = arrival?.startedAt ?? options.clock.now();
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };
}
