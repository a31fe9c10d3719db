import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Observation } from './http/access-log.ts';

/** What the rest of the program tells the metrics. No label names a person or is chosen by a stranger. */
export interface Metrics {
  readonly registry: Registry;
  observeRequest(observation: Observation): void;
  /** A finished try to pass one door. */
  countSignIn(factor: 'password' | 'totp' | 'backup_code' | 'passkey', outcome: 'success' | 'failure' | 'locked'): void;
  countToken(grant: string, format: 'jwt' | 'opaque'): void;
  countIntrospection(active: boolean): void;
  countRateLimited(limit: string): void;
  /** How long a call to a store took, in seconds, and whether it came back with an answer. */
  observeStore(store: 'sql' | 'redis', operation: string, seconds: number, outcome: 'ok' | 'failed'): void;
  /** Reads a gauge at each scrape. The name comes without the prefix `sallyport_`. */
  watch(name: string, help: string, read: () => number): void;
}

const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const storeBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 2];

/** Makes the registry behind `/metrics`, with the process's own numbers (event loop, heap, handles) in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: `sallyport_${name}`, help, labelNames: [...labelNames], registers: [registry] });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ): Histogram<Label> =>
    new Histogram({ name: `sallyport_${name}`, help, labelNames: [...labelNames], buckets, registers: [registry] });

  const requests = counter('http_requests_total', 'Requests answered.', ['route', 'method', 'status'] as const);
  const durations = histogram(
    'http_request_duration_seconds',
    'Time from the first byte of a request to the last of its answer.',
    ['route', 'method'] as const,
    requestBuckets,
  );
  const signIns = counter('sign_ins_total', 'Tries to pass a door, by factor and outcome.', [
    'factor',
    'outcome',
  ] as const);
  const tokens = counter('tokens_issued_total', 'Access tokens issued.', ['grant', 'format'] as const);
  const introspections = counter('introspections_total', 'Tokens asked about, by answer.', ['active'] as const);
  const limited = counter('rate_limited_total', 'Requests refused by a limit.', ['limit'] as const);
  const stores = histogram(
    'store_call_duration_seconds',
    'Time that calls to a store took.',
    ['store', 'operation', 'outcome'] as const,
    storeBuckets,
  );

  return {
    registry,
    observeRequest({ route, method, status, seconds }) {
      requests.inc({ route, method, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route, method }, seconds);
    },
    countSignIn: (factor, outcome) => signIns.inc({ factor, outcome }),
    countToken: (grant, format) => tokens.inc({ grant, format }),
    countIntrospection: (active) => introspections.inc({ active: String(active) }),
    countRateLimited: (limit) => limited.inc({ limit }),
    observeStore: (store, operation, seconds, outcome) => stores.observe({ store, operation, outcome }, seconds),
    watch(name, help, read) {
      new Gauge({
        name: `sallyport_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
  };
}
