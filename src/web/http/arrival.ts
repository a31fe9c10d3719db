import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { AccessFacts, Caller, EdgeMiddleware } from './context.ts';

/** What the plain lane found out about a request that it hands on, so that nothing is asked, read or logged twice. */
export interface Arrival {
  readonly caller: Caller;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** What the access log will say of the request when its answer has left. */
  describe: () => AccessFacts;
  /** The whole body, when it was read; it has to be put back for whoever reads the request itself. */
  body?: Buffer;
  /** The plain requests were asked and this is none. */
  declined?: true;
  /** What was thrown while the answer was made. */
  failure?: { readonly thrown: unknown };
}

const arrival = Symbol('arrival');

type Marked = IncomingMessage & { [arrival]?: Arrival };

/** What the plain lane knows of this request, if it came that way. */
export const arrivalOf = (req: IncomingMessage): Arrival | undefined => (req as Marked)[arrival];

/** Leaves it for those who go on. */
export function noteArrival(req: IncomingMessage, found: Arrival): void {
  (req as Marked)[arrival] = found;
}

/** Throws what the plain lane met, within the error handler and before anything is tried again. */
export const arrivedFailing: EdgeMiddleware = function arrivedFailing(ctx, next) {
  const failure = arrivalOf(ctx.req)?.failure;
  if (failure) throw failure.thrown;
  return next();
};

/** Leaves `middleware` out for requests of which the lane knows that it would decline them. */
export const unlessDeclined =
  (middleware: Middleware): Middleware =>
  (ctx, next) =>
    arrivalOf(ctx.req)?.declined ? next() : middleware(ctx, next);
