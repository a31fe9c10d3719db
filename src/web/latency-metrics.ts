import { Counter, Histogram, type Registry } from 'prom-client';
import type { Observation } from './http/access-log.ts';

/** How long requests and calls to stores take. */
export interface LatencyMetrics {
  observeRequest(observation: Observation): void;
  /** How long a call to a store took, in seconds, and whether it came back with an answer. */
  observeStore(store: 'sql' | 'redis', operation: string, seconds: number, outcome: 'ok' | 'failed'): void;
}

/** Routes where tokens are checked for somebody else, and what their time is counted as. */
const verifications: ReadonlyMap<string, string> = new Map([
  ['introspection', 'introspection'],
  ['userinfo', 'userinfo'],
  ['api_verify', 'api'],
  ['forward_auth', 'forward_auth'],
]);
const outcomeOf = (status: number): 'ok' | 'refused' | 'failed' =>
  status < 400 ? 'ok' : status < 500 ? 'refused' : 'failed';

const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const storeBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 2];

/** Makes the metrics of how long things take. */
export function createLatencyMetrics(registry: Registry): LatencyMetrics {
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ): Histogram<Label> =>
    new Histogram({ name: `sallyport_${name}`, help, labelNames: [...labelNames], buckets, registers: [registry] });

  const requests = new Counter({
    name: 'sallyport_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['route', 'method', 'status'] as const,
    registers: [registry],
  });
  const durations = histogram(
    'http_request_duration_seconds',
    'Time from the first byte of a request to the last of its answer.',
    ['route', 'method'] as const,
    requestBuckets,
  );
  const issues = histogram(
    'token_issue_duration_seconds',
    'Time that requests for tokens took, by how they ended.',
    ['outcome'] as const,
    requestBuckets,
  );
  const checks = histogram(
    'token_verification_duration_seconds',
    'Time that checks of tokens for services took, by way and how they ended.',
    ['way', 'outcome'] as const,
    requestBuckets,
  );
  const stores = histogram(
    'store_call_duration_seconds',
    'Time that calls to a store took.',
    ['store', 'operation', 'outcome'] as const,
    storeBuckets,
  );
  // Remembered, because finding a series by its labels costs more than adding to it, and there are many calls.
  const storeSeries = new Map<string, Histogram.Internal<'store' | 'operation' | 'outcome'>>();

  return {
    observeRequest({ route, method, status, seconds }) {
      requests.inc({ route, method, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route, method }, seconds);
      const outcome = outcomeOf(status);
      if (route === 'token') issues.observe({ outcome }, seconds);
      const way = verifications.get(route);
      if (way !== undefined) checks.observe({ way, outcome }, seconds);
    },
    observeStore(store, operation, seconds, outcome) {
      const key = `${store} ${operation} ${outcome}`;
      let series = storeSeries.get(key);
      if (!series) {
        series = stores.labels({ store, operation, outcome });
        storeSeries.set(key, series);
      }
      series.observe(seconds);
    },
  };
}
