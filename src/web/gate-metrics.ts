import { Counter, Histogram, type Registry } from 'prom-client';

/** What the doors for proxies and services tell the metrics. */
export interface GateMetrics {
  /** What a proxy was told to do with a request of an app behind it. */
  countProxyDecision(outcome: 'allow' | 'refuse' | 'redirect'): void;
  /** A finished gRPC call; `code` is the name of its status. */
  observeRpc(call: { readonly method: string; readonly code: string; readonly seconds: number }): void;
}

/** Adds their numbers to the registry. */
export function createGateMetrics(registry: Registry): GateMetrics {
  const registers = [registry];
  const decisions = new Counter({
    name: 'sallyport_proxy_decisions_total',
    help: 'What proxies were told to do with a request.',
    labelNames: ['outcome'],
    registers,
  });
  const calls = new Counter({
    name: 'sallyport_grpc_requests_total',
    help: 'gRPC calls answered.',
    labelNames: ['method', 'code'],
    registers,
  });
  const times = new Histogram({
    name: 'sallyport_grpc_request_duration_seconds',
    help: 'Time that gRPC calls took.',
    labelNames: ['method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  return {
    countProxyDecision: (outcome) => decisions.inc({ outcome }),
    observeRpc({ method, code, seconds }) {
      calls.inc({ method, code });
      times.observe({ method }, seconds);
    },
  };
}
