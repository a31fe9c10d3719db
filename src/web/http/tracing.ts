import type { IncomingMessage, RequestListener } from 'node:http';
import { createCallerReader } from './client-address.ts';
import { findRoute, type RouteName } from './routes.ts';

/** A trace that somebody before us began (W3C Trace Context §3.2). */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The span of one request. */
export interface RequestSpan {
  /** Runs the request, so that what it waits for becomes part of its trace. */
  run<T>(work: () => T): T;
  /** `status` is 0 for an answer that nobody waited for. */
  end(facts: { readonly method: string; readonly route: RouteName; readonly status: number }): void;
}

/** Whoever makes spans. */
export interface RequestTracer {
  /** Undefined for a request that is not traced. */
  begin(parent: TraceParent | undefined): RequestSpan | undefined;
}

const known = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const nothing = /^0+$/;

/** Reads a `traceparent`. A version we do not know is read as far as we know it; what is malformed is no parent. */
export function readTraceParent(header: string | undefined): TraceParent | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? '');
  if (!match) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (nothing.test(traceId) || nothing.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

const routeOf = ({ url = '' }: IncomingMessage): RouteName => {
  const path = url.startsWith('/') ? (url.split('?', 1)[0] ?? '') : '';
  return path === '' ? 'unknown' : findRoute(path).name;
};

/**
 * A span for each request, with the name of its route and its status: no address, no query, no header, no body, nobody's
 * id. A trace is continued for trusted proxies only: anybody else could tie their requests to a trace of ours.
 */
export function traceRequests(
  listener: RequestListener,
  tracer: RequestTracer,
  options: { readonly trustedProxies: readonly string[] },
): RequestListener {
  const callerOf = createCallerReader(options);
  return (req, res) => {
    const header = req.headers.traceparent;
    const parent = typeof header === 'string' && callerOf(req).trustedPeer ? readTraceParent(header) : undefined;
    const span = tracer.begin(parent);
    if (!span) return listener(req, res);
    res.once('close', () => {
      const { method: given = '' } = req;
      const status = res.writableFinished ? res.statusCode : 0;
      span.end({ method: known.has(given) ? given : 'OTHER', route: routeOf(req), status });
    });
    span.run(() => listener(req, res));
  };
}
