import type { Config } from '../config/load.ts';
import type { ForwardAuth, RefusalLimit } from '../forward-auth/index.ts';
import type { Oidc } from '../oidc/index.ts';
import type { RpcServer } from '../rpc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { addressKey } from '../web/http/rate-limit.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Domains } from './domains.ts';
import { createRefusalLimit } from './refusal-limit.ts';

interface Needs {
  readonly config: Config;
  readonly domains: Domains;
  readonly oidc: Oidc;
  readonly forwardAuth: ForwardAuth;
  readonly refusals: RefusalLimit;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: Logger;
}

/** Opens the gRPC port when the configuration has one. */
export type StartRpc = () => Promise<RpcServer | undefined>;

/** Puts gRPC on the clients, tokens and decisions that everybody else uses. Its libraries are loaded when it is on. */
export const createRpc =
  ({ config, domains, oidc, forwardAuth, refusals, metrics, clock, logger, access }: Needs): StartRpc =>
  async () => {
    const { SALLYPORT_GRPC_PORT: port, SALLYPORT_GRPC_TLS_CERT: cert, SALLYPORT_GRPC_TLS_KEY: key } = config;
    if (port === undefined) return undefined;
    const { startRpc } = await import('../rpc/index.ts');
    const { SALLYPORT_GRPC_REFLECTION: reflection, SALLYPORT_LIMIT_GRPC_CONNECTIONS: mostOfOne } = config;
    const limit = (name: string, max: number) =>
      createRefusalLimit({ name, max, clock, onLimited: (limited) => metrics.countRateLimited(limited) });
    return startRpc({
      port,
      host: config.SALLYPORT_GRPC_HOST,
      tls: cert && key ? { cert, key, clientCa: config.SALLYPORT_GRPC_TLS_CLIENT_CA } : undefined,
      reflection: reflection === undefined ? !config.production : reflection === 'true',
      issuer: config.issuer,
      clients: domains.clients,
      forwardAuth,
      refusals: {
        atProxies: refusals,
        ofCallers: limit('grpc-callers', config.SALLYPORT_LIMIT_TOKEN),
        ofTokens: limit('grpc-tokens', config.SALLYPORT_LIMIT_GRPC),
      },
      connections: {
        ...{ mostOfOne, most: 10 * mostOfOne, originOf: addressKey },
        onRefused: () => metrics.countRateLimited('grpc-connections'),
      },
      questions: oidc.questions,
      prepare: () => domains.keys.ensureFresh(),
      clock,
      logger,
      access,
      observe: (call) => metrics.observeRpc(call),
    });
  };
