import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { Config } from '../config/load.ts';
import type { Logger } from '../shared/logger.ts';
import { traceRequests } from '../web/http/tracing.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Tracer } from './tracer.ts';

/** Traces, when they are wanted. */
export interface Tracing extends AsyncDisposable {
  /** Undefined when no receiver is configured. */
  readonly tracer: Tracer | undefined;
  /** Makes a span of each request; without a receiver it leaves them as they are. */
  trace(listener: RequestListener): RequestListener;
}

/** Where traces go, or undefined. */
export function traceUrlOf(
  config: Pick<Config, 'SALLYPORT_OTLP_URL' | 'OTEL_EXPORTER_OTLP_ENDPOINT'>,
): string | undefined {
  const { SALLYPORT_OTLP_URL: own, OTEL_EXPORTER_OTLP_ENDPOINT: base } = config;
  if (own !== undefined) return own;
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`;
}

const headersOf = (entries: readonly string[]): Record<string, string> =>
  Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));

const versionOf = (): string =>
  (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version;

const none: Tracing = {
  tracer: undefined,
  trace: (listener) => listener,
  [Symbol.asyncDispose]: async () => undefined,
};

/** Loads and starts the exporter when the configuration names a receiver; otherwise nothing of it is loaded. */
export async function startTracing(config: Config, metrics: Pick<Metrics, 'watch'>, logger: Logger): Promise<Tracing> {
  const url = traceUrlOf(config);
  if (url === undefined) return none;
  const [{ createOtlpExporter }, { createTracer }] = await Promise.all([
    import('./otlp-exporter.ts'),
    import('./tracer.ts'),
  ]);
  const headers = headersOf(config.SALLYPORT_OTLP_HEADERS);
  const exporter = createOtlpExporter({ url, headers, version: versionOf(), logger });
  metrics.watch('trace_spans_dropped', 'Spans that could not be sent since the start.', () => exporter.dropped);
  const tracer = createTracer({ ratio: config.SALLYPORT_TRACE_RATIO, onSpan: (span) => exporter.add(span) });
  return {
    tracer,
    trace: (listener) => traceRequests(listener, tracer, { trustedProxies: config.SALLYPORT_TRUSTED_PROXIES }),
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}
