import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../shared/clock.ts';
import { reasonOf } from '../../shared/errors.ts';
import { randomText } from '../../shared/ids.ts';
import type { Logger } from '../../shared/logger.ts';
import { createPatience } from '../../storage/patience.ts';
import { evaluateOn, script, unhurried } from '../../storage/redis.ts';
import type { CountMode } from './rate-limit-local.ts';

export type RedisLike = Redis | Cluster;

/** Milliseconds: the longest that a request waits for Redis, and how long a Redis that failed is left alone. */
const patience = { answer: 300, rest: 1_000 };

export type RedisGuard = <T>(work: () => Promise<T>, otherwise: () => T | Promise<T>) => Promise<T>;

/**
 * Does `work` on Redis, or `otherwise` when Redis fails, is late, or did so a moment ago: while it is away one request
 * per second tries it and the others do not wait. It logs when Redis goes and when it is back.
 */
export function createRedisGuard(options: { readonly logger: Logger; readonly clock: Clock }): RedisGuard {
  const { logger, clock } = options;
  const within = createPatience(patience.answer, 'Redis');
  let away = false;
  let restUntil = 0;

  return async (work, otherwise) => {
    const now = clock.now();
    if (away) {
      if (now < restUntil) return otherwise();
      restUntil = now + patience.rest;
    }
    try {
      const result = await within(work());
      if (away) logger.info('limits are counted in Redis again');
      away = false;
      return result;
    } catch (error) {
      if (!away) logger.warn({ reason: reasonOf(error) }, 'Redis is away: limits are counted in this process');
      away = true;
      restUntil = clock.now() + patience.rest;
    }
    return otherwise();
  };
}

/** The same sliding window as the local counter. The newest `max` hits are kept, one sorted set per key. */
const countScript = script(`
  local now, window, max, mode = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
  if mode == 'clear' then redis.call('DEL', KEYS[1]) return 0 end
  if mode == 'give-back' then redis.call('ZPOPMAX', KEYS[1]) return 0 end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  local function wait()
    local oldest = redis.call('ZRANGE', KEYS[1], -max, -max, 'WITHSCORES')
    if #oldest == 0 then return 0 end
    return tonumber(oldest[2]) + window - now
  end
  local blocked = wait()
  if mode == 'peek' or (mode == 'take' and blocked > 0) then return blocked end
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -max - 1)
  redis.call('PEXPIRE', KEYS[1], window)
  if mode == 'take' then return 0 end
  return wait()
`);

/**
 * Counts in Redis. A script of our own, because koa-ratelimit's counts every request where we count failures, and
 * uses its own clock. Resolves to the milliseconds that the key is blocked for.
 */
export function createRedisCounter(
  redis: RedisLike,
  options: { readonly name: string; readonly max: number; readonly windowSeconds: number },
  clock: Clock,
): (key: string, mode: CountMode) => Promise<number> {
  const { name, max, windowSeconds } = options;
  return async (key, mode) => {
    const member = randomText(16);
    const values = [clock.now(), windowSeconds * 1000, max, mode, member];
    const send = () => evaluateOn(redis, countScript, [`sallyport:count:${name}:${key}`], values);
    // Nobody waits for what is taken off a count, and whoever counts next comes after it.
    const isSpared = mode === 'clear' || mode === 'give-back';
    return (await (isSpared ? unhurried(send) : send())) as number;
  };
}

/** What koa-ratelimit takes for a client: it may define the one command that it uses. */
interface Definable {
  defineCommand(name: string, definition: { readonly lua: string; readonly numberOfKeys: number }): void;
}

/**
 * The client as koa-ratelimit sees it. It defines its command when the first request comes, which on the shared client
 * would be in the middle of the commands of others; here the command is its own.
 */
export function commandsOn(redis: RedisLike): Definable {
  const own: Definable & Record<string, unknown> = {
    defineCommand(name, { lua, numberOfKeys }) {
      const defined = script(lua);
      own[name] = (...args: string[]) =>
        evaluateOn(redis, defined, args.slice(0, numberOfKeys), args.slice(numberOfKeys));
    },
  };
  return own;
}
