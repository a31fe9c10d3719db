import type { RequestListener } from 'node:http';
import type { Config } from '../config/load.ts';
import { createAppCookies, createForwardAuth, type ForwardAuth, type RefusalLimit } from '../forward-auth/index.ts';
import { type Oidc, protocolRoutes } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { createForwardAuthLane } from '../web/forward-auth/lane.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Domains } from './domains.ts';
import { createRefusalLimit } from './refusal-limit.ts';

interface Needs {
  readonly config: Config;
  readonly domains: Domains;
  readonly oidc: Oidc;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: Logger;
}

export interface ForwardAuthSurface {
  /** The decisions, for other ways to ask for them. */
  readonly forwardAuth: ForwardAuth;
  /** Of tokens at proxies, whichever way they ask. */
  readonly refusals: RefusalLimit;
  /** Puts the endpoints for proxies in front of the rest of the public server. */
  before(ordinary: RequestListener): RequestListener;
}

/** Puts the gate for apps behind proxies on the sessions and tokens that everybody else uses. */
export function createForwardAuthSurface(needs: Needs): ForwardAuthSurface {
  const { config, domains, oidc, metrics, clock, logger, access } = needs;
  const forwardAuth = createForwardAuth({
    ...domains,
    issuer: config.issuer,
    redeem: (code, bound) => oidc.appCodes.redeem(code, bound),
    cookies: createAppCookies(domains.secrets),
    clock,
    paths: protocolRoutes,
    sessionSeconds: config.SALLYPORT_SESSION_SECONDS,
    signInSeconds: config.SALLYPORT_INTERACTION_SECONDS + 300,
  });
  const refusals = createRefusalLimit({
    name: 'proxy-tokens',
    max: config.SALLYPORT_LIMIT_PROXY,
    clock,
    onLimited: (name) => metrics.countRateLimited(name),
  });
  return {
    forwardAuth,
    refusals,
    before: (ordinary) =>
      createForwardAuthLane({
        forwardAuth,
        trustedProxies: config.SALLYPORT_TRUSTED_PROXIES,
        askToken: (token) => oidc.questions.askAsServer(token),
        refusals,
        prepare: () => domains.keys.ensureFresh(),
        clock,
        logger,
        access,
        observe: (seen) => metrics.observeRequest(seen),
        onDecision: (outcome) => metrics.countProxyDecision(outcome),
        ordinary,
      }),
  };
}
