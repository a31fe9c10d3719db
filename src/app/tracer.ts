import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { RequestTracer, TraceParent } from '../web/http/tracing.ts';

export type Attributes = Readonly<Record<string, string | number>>;

/** A finished span, in the words of OTLP. Times are milliseconds since the epoch, with fractions. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

/** A piece of work under way within a request. */
export interface ChildSpan {
  /** `more` is what nobody knew at the beginning. */
  end(outcome: 'ok' | 'error', more?: Attributes): void;
}

/** Makes spans of requests and of what they wait for. */
export interface Tracer extends RequestTracer {
  /** Begins a span below the request of this call chain; undefined where there is none or it is not traced. */
  child(name: string, attributes: Attributes, kind?: 'client' | 'internal'): ChildSpan | undefined;
}

interface Current {
  readonly traceId: string;
  readonly spanId: string;
}

// Node.js makes these many at a time, which bytes for each id would cost a system call each.
const id = (bytes: 8 | 16): string =>
  randomUUID()
    .replaceAll('-', '')
    .slice(0, bytes * 2);
const now = (): number => performance.timeOrigin + performance.now();

/**
 * Follows W3C Trace Context: a trace that somebody trusted began goes on with its id and its decision whether to sample;
 * otherwise a new one begins, for `ratio` of all requests.
 */
export function createTracer(options: {
  readonly ratio: number;
  readonly onSpan: (span: FinishedSpan) => void;
}): Tracer {
  const requests = new AsyncLocalStorage<Current>();
  const isSampled = (parent: TraceParent | undefined): boolean => parent?.sampled ?? Math.random() < options.ratio;
  return {
    begin(parent) {
      if (!isSampled(parent)) return undefined;
      const current = { traceId: parent?.traceId ?? id(16), spanId: id(8) };
      const start = now();
      return {
        run: (work) => requests.run(current, work),
        end({ method, route, status }) {
          options.onSpan({
            ...current,
            ...(parent && { parentSpanId: parent.spanId }),
            name: `${method} ${route}`,
            kind: 'server',
            start,
            end: now(),
            attributes: {
              'http.request.method': method,
              'http.route': route,
              ...(status > 0 && { 'http.response.status_code': status }),
            },
            failed: status >= 500,
          });
        },
      };
    },
    child(name, attributes, kind = 'client') {
      const request = requests.getStore();
      if (!request) return undefined;
      const [start, spanId] = [now(), id(8)];
      return {
        end: (outcome, more) =>
          options.onSpan({
            traceId: request.traceId,
            spanId,
            parentSpanId: request.spanId,
            name,
            kind,
            start,
            end: now(),
            attributes: more ? { ...attributes, ...more } : attributes,
            failed: outcome === 'error',
          }),
      };
    },
  };
}
