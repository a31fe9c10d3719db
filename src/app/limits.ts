import type { Middleware } from 'koa';
import type { Config } from '../config/load.ts';
import type { RefreshCounter } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { EdgeContext, EdgeMiddleware } from '../web/http/context.ts';
import { addressKey, createRateLimit, type RateLimit, type RedisLike, rateLimited } from '../web/http/rate-limit.ts';
import { routeFor, routeOf } from '../web/http/routes.ts';
import type { Metrics } from '../web/metrics.ts';
import { type AttemptLimits, createAttemptLimits } from '../web/sign-in/attempt-limits.ts';

interface Needs {
  readonly config: Config;
  readonly redis: RedisLike | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export interface Limits {
  readonly refreshes: RefreshCounter;
  readonly attempts: AttemptLimits;
  /** For every request, in this order. */
  readonly middleware: readonly Middleware[];
}

const quarterHour = 900;

/**
 * Bounds refused requests at the endpoints that services use: floods of guesses, not honest load. Counted in this
 * process, so that a right request costs no store a round trip; n nodes allow n times as many.
 */
function boundRefusals(local: RateLimit, max: number): EdgeMiddleware {
  const counter = local.counter({ name: 'oauth-refusals', max, windowSeconds: 60 });
  return async function oauthRefusals(ctx, next) {
    const { kind } = routeFor(ctx);
    if (kind !== 'oauth' && kind !== 'api') return next();
    const key = `${routeOf(ctx)} ${addressKey(ctx.state.ip)}`;
    const wait = await counter.blockedFor(key);
    if (wait > 0) throw rateLimited('oauth-refusals', wait);
    await next();
    if (ctx.status >= 400 && ctx.status < 500) await counter.hit(key);
  };
}

/** The limits of the installation. Shared by Redis where there is one, else each process counts for itself. */
export function createLimits({ config, redis, logger, clock, metrics }: Needs): Limits {
  const onLimited = (name: string): void => metrics.countRateLimited(name);
  const shared = createRateLimit({ redis, logger, clock, onLimited });
  const local = createRateLimit({ logger, clock, onLimited });
  const posts = (route: string) => (ctx: EdgeContext) =>
    ctx.method === 'POST' && routeOf(ctx) === route ? ctx.state.ip : undefined;
  const middleware = [
    shared.limit({
      name: 'sign-in-posts',
      max: config.SALLYPORT_LIMIT_SIGN_IN_ADDRESS,
      windowSeconds: quarterHour,
      key: posts('sign_in'),
    }),
    shared.limit({ name: 'device-codes', max: 30, windowSeconds: quarterHour, key: posts('code_verification') }),
    boundRefusals(local, config.SALLYPORT_LIMIT_TOKEN),
  ];
  return {
    middleware: middleware as unknown as Middleware[],
    attempts: createAttemptLimits(
      shared.counter({ name: 'sign-in', max: config.SALLYPORT_LIMIT_SIGN_IN, windowSeconds: quarterHour }),
      clock,
    ),
    refreshes: shared.counter({ name: 'refresh', max: config.SALLYPORT_LIMIT_REFRESH, windowSeconds: 3600 }),
  };
}
