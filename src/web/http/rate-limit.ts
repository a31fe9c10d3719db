import type { Context } from 'koa';
import koaRatelimit from 'koa-ratelimit';
import type { Clock } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { storedKey } from './rate-limit-key.ts';
import { BoundedMap, type CountMode, createLocalCounter } from './rate-limit-local.ts';
import { commandsOn, createRedisCounter, createRedisGuard, type RedisLike } from './rate-limit-redis.ts';

export { addressKey } from './rate-limit-key.ts';
export type { RedisLike } from './rate-limit-redis.ts';

interface Limit {
  /** Name of the matched route or action, one of a closed set; never a path, which has many spellings. */
  readonly name: string;
  readonly max: number;
  readonly windowSeconds: number;
}

/** Counts what its caller wants counted. Keys may be anything; an IPv6 address counts as its /64. */
export interface RateCounter {
  /** Seconds, rounded up, until the key has a try left; 0 when it has one now. */
  blockedFor(key: string): Promise<number>;
  /** Counts one, also when the key is blocked. Resolves to what {@link blockedFor} says then. */
  hit(key: string): Promise<number>;
  /**
   * Uses a try up when there is one, in one atomic step: 0 means go on, else seconds to wait and nothing was counted.
   * To count failures exactly while many tries run at once, take before and {@link clear} after a success.
   */
  take(key: string): Promise<number>;
  /** Takes back what was taken last, because it was no try after all. */
  giveBack(key: string): Promise<void>;
  /** Forgets the key. */
  clear(key: string): Promise<void>;
}

export interface RateLimit {
  /**
   * Lets `max` requests per window and principal through to what comes next. Requests without a key are not limited.
   * @throws AppError `rate_limited` with `retryAfter` for the others.
   */
  limit(options: Limit & { readonly key: (ctx: EdgeContext) => string | undefined }): EdgeMiddleware;
  counter(options: Limit): RateCounter;
}

export interface RateLimitOptions {
  /** Shares the counts among nodes. While it is away each node counts alone; nothing is ever unlimited. */
  readonly redis?: RedisLike | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** For metrics: called with the name of the limit whenever it refuses. */
  readonly onLimited?: ((name: string) => void) | undefined;
}

/** The refusal for a limit that is used up. `seconds` becomes `Retry-After`. */
export function rateLimited(name: string, seconds: number): AppError {
  const wait = seconds < 90 ? `${seconds} second${seconds === 1 ? '' : 's'}` : `${Math.ceil(seconds / 60)} minutes`;
  return new AppError('rate_limited', `Too many tries. Try again in ${wait}.`, { retryAfter: seconds, reason: name });
}

/** The entry of koa-ratelimit's memory driver; `reset` in seconds. */
interface MemoryEntry {
  readonly reset: number;
}

/** koa-ratelimit counts on the monotonic clock, as seen from its start. */
const monotonicSeconds = (): number => (performance.timeOrigin + performance.now()) / 1000;

/**
 * Asks koa-ratelimit alone, away from the request: what it writes into a context would be an answer in its words, and
 * what fails further in must not look like a failing limiter. Undefined: go on; else seconds to wait.
 */
async function ask(
  limiter: ReturnType<typeof koaRatelimit>,
  id: string,
  slack: number,
  longest: number,
): Promise<number | undefined> {
  const state: { id: string; rateLimit?: { readonly after: number } } = { id };
  let passed = false;
  await limiter({ state, set: () => undefined } as unknown as Context, async () => {
    passed = true;
  });
  return passed ? undefined : Math.min(Math.max((state.rateLimit?.after ?? 0) + slack, 1), longest);
}

function createLimiter({ name, max, windowSeconds }: Limit, redis: RedisLike | undefined) {
  const options = {
    max,
    duration: windowSeconds * 1000,
    namespace: `sallyport:limit:${name}`,
    id: (ctx: Context): string => ctx.state.id as string,
    disableHeader: true,
  };
  const entries = new BoundedMap<MemoryEntry>(({ reset }) => reset < monotonicSeconds());
  const local = koaRatelimit({ ...options, driver: 'memory', db: entries });
  const shared = redis && koaRatelimit({ ...options, driver: 'redis', db: commandsOn(redis) as never });
  return {
    // Its waits are cut to whole seconds, once in memory and twice in Redis; too early is worse than a second late.
    local: (id: string) => ask(local, id, 1, windowSeconds),
    shared: shared && ((id: string) => ask(shared, id, 2, windowSeconds)),
  };
}

/** Limits and counters, in Redis when there is one and it answers, else in this process. */
export function createRateLimit({ redis, logger, clock, onLimited }: RateLimitOptions): RateLimit {
  const guard = createRedisGuard({ logger, clock });

  return {
    limit({ key, ...limit }) {
      const { local, shared } = createLimiter(limit, redis);
      return async function rateLimit(ctx, next) {
        const principal = key(ctx);
        if (principal === undefined) return next();
        const id = storedKey(principal);
        const wait = await (shared
          ? guard(
              () => shared(id),
              () => local(id),
            )
          : local(id));
        if (wait === undefined) return next();
        onLimited?.(limit.name);
        throw rateLimited(limit.name, wait);
      };
    },

    counter(limit) {
      const local = createLocalCounter(limit, clock);
      const shared = redis && createRedisCounter(redis, limit, clock);
      const count = async (principal: string, mode: CountMode): Promise<number> => {
        const key = storedKey(principal);
        const here = local(key, mode);
        // Counted here as well, so that what this node saw still counts when Redis goes.
        const milliseconds = shared
          ? await guard(
              () => shared(key, mode),
              () => here,
            )
          : here;
        const seconds = Math.ceil(milliseconds / 1000);
        if (seconds > 0 && mode !== 'hit') onLimited?.(limit.name);
        return seconds;
      };
      return {
        blockedFor: (key) => count(key, 'peek'),
        hit: (key) => count(key, 'hit'),
        take: (key) => count(key, 'take'),
        giveBack: async (key) => void (await count(key, 'give-back')),
        clear: async (key) => void (await count(key, 'clear')),
      };
    },
  };
}
