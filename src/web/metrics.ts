import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createGateMetrics, type GateMetrics } from './gate-metrics.ts';
import { createLatencyMetrics, type LatencyMetrics } from './latency-metrics.ts';

/** What the rest of the program tells the metrics. No label names a person or is chosen by a stranger. */
export interface Metrics extends GateMetrics, LatencyMetrics {
  readonly registry: Registry;
  /** A finished try to pass one door. */
  countSignIn(factor: SignInFactor, outcome: 'success' | 'failure' | 'locked'): void;
  /** A row of the audit log; its types are a closed set. */
  countEvent(type: string, outcome: 'success' | 'failure'): void;
  /** A finished try to deliver a webhook: it arrived, will be tried again, or was given up. */
  countWebhook(outcome: 'delivered' | 'failed' | 'dead'): void;
  countToken(grant: string, format: 'jwt' | 'opaque'): void;
  countIntrospection(active: boolean): void;
  countRateLimited(limit: string): void;
  /** Reads a gauge at each scrape. The name comes without the prefix `sallyport_`. */
  watch(name: string, help: string, read: () => number | Promise<number>): void;
  /** The same for a gauge with one label, whose values are known beforehand. */
  watchEach(name: string, help: string, label: string, read: () => Numbers | Promise<Numbers>): void;
}

export type SignInFactor = 'password' | 'totp' | 'backup_code' | 'passkey' | 'email';
type Numbers = Readonly<Record<string, number>>;

/** Makes the registry behind `/metrics`, with the process's own numbers (event loop, heap, handles) in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: `sallyport_${name}`, help, labelNames: [...labelNames], registers: [registry] });

  const events = counter('audit_events_total', 'Rows of the audit log.', ['type', 'outcome'] as const);
  const webhooks = counter('webhook_deliveries_total', 'Tries to deliver a webhook.', ['outcome'] as const);
  const signIns = counter('sign_ins_total', 'Tries to pass a door, by factor and outcome.', [
    'factor',
    'outcome',
  ] as const);
  const tokens = counter('tokens_issued_total', 'Access tokens issued.', ['grant', 'format'] as const);
  const introspections = counter('introspections_total', 'Tokens asked about, by answer.', ['active'] as const);
  const limited = counter('rate_limited_total', 'Requests refused by a limit.', ['limit'] as const);
  return {
    ...createGateMetrics(registry),
    ...createLatencyMetrics(registry),
    registry,
    countSignIn: (factor, outcome) => signIns.inc({ factor, outcome }),
    countEvent: (type, outcome) => events.inc({ type, outcome }),
    countWebhook: (outcome) => webhooks.inc({ outcome }),
    countToken: (grant, format) => tokens.inc({ grant, format }),
    countIntrospection: (active) => introspections.inc({ active: String(active) }),
    countRateLimited: (limit) => limited.inc({ limit }),
    watch(name, help, read) {
      new Gauge({
        name: `sallyport_${name}`,
        help,
        registers: [registry],
        async collect() {
          this.set(await read());
        },
      });
    },
    watchEach(name, help, label, read) {
      new Gauge({
        name: `sallyport_${name}`,
        help,
        labelNames: [label],
        registers: [registry],
        async collect() {
          for (const [value, number] of Object.entries(await read())) this.set({ [label]: value }, number);
        },
      });
    },
  };
}
