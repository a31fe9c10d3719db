import type { Middleware } from 'koa';
import type { Config } from '../config/load.ts';
import type { RefreshCounter } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { type AccountLimits, createAccountLimits } from '../web/account-console/account-limits.ts';
import { createEntryLimits, type EntryLimits } from '../web/account-entry/entry-limits.ts';
import type { EdgeContext, EdgeMiddleware } from '../web/http/context.ts';
import { addressKey, createRateLimit, type RateCounter, type RedisLike, rateLimited } from '../web/http/rate-limit.ts';
import { createLocalCounter } from '../web/http/rate-limit-local.ts';
import { type RouteName, routeFor, routeOf } from '../web/http/routes.ts';
import type { Metrics } from '../web/metrics.ts';
import { type AttemptLimits, createAttemptLimits } from '../web/sign-in/attempt-limits.ts';
import { createKeyCounters } from './api-keys.ts';
import type { Domains } from './domains.ts';

interface Needs {
  readonly config: Config;
  readonly domains: Pick<Domains, 'accounts' | 'devices'>;
  readonly redis: RedisLike | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export interface Limits {
  readonly refreshes: RefreshCounter;
  readonly attempts: AttemptLimits;
  readonly entry: EntryLimits;
  /** Counts the uses of API keys that may be used so often in a minute. */
  readonly apiKeys: (perMinute: number) => RateCounter;
  readonly account: AccountLimits;
  /** For every request, in this order. */
  readonly middleware: readonly Middleware[];
  /** Whether the last of these would let a caller pass; for those who ask before Koa does. */
  readonly mayPass: (route: RouteName, ip: string) => boolean;
}

const quarterHour = 900;

/** Pages that take a form from somebody who is not signed in; several of them hash a password. */
const entryRoutes: readonly RouteName[] = [
  'register',
  'invitation',
  'check_mail',
  'verify_email',
  'forgot_password',
  'reset_password',
  'confirm_email',
  'recover',
];

/**
 * Bounds refused requests at the endpoints that services use: floods of guesses, not honest load. Counted in this
 * process, so that a right request costs no store a round trip; n nodes allow n times as many.
 */
function boundRefusals(options: { readonly max: number; readonly clock: Clock; readonly onLimited: () => void }) {
  const count = createLocalCounter({ max: options.max, windowSeconds: 60 }, options.clock);
  const keyOf = (route: RouteName, ip: string): string => `${route} ${addressKey(ip)}`;
  const middleware: EdgeMiddleware = async function oauthRefusals(ctx, next) {
    const { kind, name } = routeFor(ctx);
    if (kind !== 'oauth' && kind !== 'api') return next();
    const key = keyOf(name, ctx.state.ip);
    const seconds = Math.ceil(count(key, 'peek') / 1000);
    if (seconds > 0) {
      options.onLimited();
      throw rateLimited('oauth-refusals', seconds);
    }
    await next();
    if (ctx.status >= 400 && ctx.status < 500) count(key, 'hit');
  };
  return { middleware, mayPass: (route: RouteName, ip: string) => count(keyOf(route, ip), 'peek') <= 0 };
}

/** The limits of the installation. Shared by Redis where there is one, else each process counts for itself. */
export function createLimits({ config, domains, redis, logger, clock, metrics }: Needs): Limits {
  const onLimited = (name: string): void => metrics.countRateLimited(name);
  const shared = createRateLimit({ redis, logger, clock, onLimited });
  const refusals = boundRefusals({
    max: config.SALLYPORT_LIMIT_TOKEN,
    clock,
    onLimited: () => onLimited('oauth-refusals'),
  });
  const posts =
    (...routes: readonly RouteName[]) =>
    (ctx: EdgeContext) =>
      ctx.method === 'POST' && routes.includes(routeOf(ctx)) ? ctx.state.ip : undefined;
  const middleware = [
    shared.limit({
      name: 'sign-in-posts',
      max: config.SALLYPORT_LIMIT_SIGN_IN_ADDRESS,
      windowSeconds: quarterHour,
      // However they come in, passwords of one address are counted together.
      key: posts('sign_in', 'api_sign_in', 'authorization_challenge'),
    }),
    shared.limit({
      name: 'entry-posts',
      max: config.SALLYPORT_LIMIT_SIGN_IN_ADDRESS,
      windowSeconds: quarterHour,
      key: posts(...entryRoutes),
    }),
    shared.limit({ name: 'device-codes', max: 30, windowSeconds: quarterHour, key: posts('code_verification') }),
    refusals.middleware,
  ];
  return {
    middleware: middleware as unknown as Middleware[],
    mayPass: refusals.mayPass,
    attempts: createAttemptLimits({
      counter: shared.counter({ name: 'sign-in', max: config.SALLYPORT_LIMIT_SIGN_IN, windowSeconds: quarterHour }),
      clock,
      isKnown: async (login, deviceId) =>
        domains.devices.isKnown((await domains.accounts.findByLogin(login))?.id, deviceId),
      async namesOf(accountId) {
        const account = await domains.accounts.find(accountId);
        return [account?.username ?? [], account?.email ?? []].flat();
      },
    }),
    entry: createEntryLimits({
      registrations: shared.counter({
        name: 'registration',
        max: config.SALLYPORT_LIMIT_REGISTRATION,
        windowSeconds: 3600,
      }),
      mails: shared.counter({ name: 'mail-requests', max: config.SALLYPORT_LIMIT_MAIL_REQUESTS, windowSeconds: 3600 }),
    }),
    account: createAccountLimits({
      changes: shared.counter({
        name: 'account-changes',
        max: config.SALLYPORT_LIMIT_ACCOUNT_CHANGES,
        windowSeconds: 60,
      }),
      usernames: shared.counter({ name: 'usernames', max: 10, windowSeconds: 3600 }),
    }),
    apiKeys: createKeyCounters((max) => shared.counter({ name: `api-key-${max}`, max, windowSeconds: 60 })),
    refreshes: shared.counter({ name: 'refresh', max: config.SALLYPORT_LIMIT_REFRESH, windowSeconds: 3600 }),
  };
}
