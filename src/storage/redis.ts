import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Cluster, Redis } from 'ioredis';
import { AppError } from '../shared/errors.ts';
import { createPatience } from './patience.ts';
import { createConnector } from './redis-connector.ts';
import { currentUnitOfWork } from './unit-of-work.ts';

export { unhurried } from './redis-connector.ts';

export type RedisClient = Redis | Cluster;

/** `up` serves; `down` refuses at once and looks every second whether Redis is back. */
export type RedisState = 'up' | 'down';

/** A Lua script and the name that Redis gives it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): Script => ({
  source,
  sha: hash('sha1', source, 'hex'),
});

/**
 * Runs a script by its hash, sending it along only where the server does not know it yet. Commands are never defined on
 * a client (`defineCommand`): one that is used before all who share the client know it fails for its neighbours as well.
 */
export async function evaluateOn(
  client: RedisClient,
  { sha, source }: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(source, keys.length, ...keys, ...values);
  }
}

/** The Redis side of storage. Nothing here waits longer than 300 ms, whatever Redis does. */
export interface RedisConnection extends AsyncDisposable {
  /**
   * For those who bring their own commands and patience (rate limits). Here only a silent connection ends: after 2 s, or
   * what a command may take where that is longer.
   */
  readonly client: RedisClient;
  readonly state: RedisState;
  /** Called at each change of state, with what failed; returns what stops it. */
  onState(listener: (state: RedisState, reason?: unknown) => void): () => void;
  /** Resolves true when the first connection stands, false when it does not within `milliseconds`. */
  ready(milliseconds: number): Promise<boolean>;
  /**
   * Runs commands.
   * @throws AppError `unavailable` when Redis is away or slow; the unit of work then answers 503.
   */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Runs a script by its hash, sending it along only where the server does not know it yet. */
  evaluate(script: Script, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown>;
}

const usualMilliseconds = 250;

/** Milliseconds, and how many failures in a row open the breaker. */
const limits = { connect: 1_000, probe: 1_000, silence: 2_000, failures: 5 };

/** Answers of a Redis that lives but cannot serve now. */
const unservable = /^(LOADING|READONLY|OOM|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|MOVED|ASK|NOAUTH)\b/;
const defects = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Whether this failure means that Redis is away, rather than that we asked for nonsense. */
export function isRedisUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || defects.some((defect) => error instanceof defect)) return false;
  return error.name !== 'ReplyError' || unservable.test(error.message);
}

// Only where there is a Redis: loading the driver takes a tenth of a start.
const driver = (): typeof import('ioredis') => createRequire(import.meta.url)('ioredis');

function connect(url: string, milliseconds: number): RedisClient {
  const { AbstractConnector, Cluster, Redis } = driver();
  const target = new URL(url);
  const isCluster = target.searchParams.get('cluster') === 'true';
  target.searchParams.delete('cluster');
  const options = {
    Connector: createConnector(AbstractConnector),
    connectTimeout: limits.connect,
    socketTimeout: Math.max(limits.silence, milliseconds),
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    // A command that was sent twice could claim, or count, twice.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times: number) => Math.min(times * 50, 1_000),
  };
  if (!isCluster) return new Redis(target.href, options);
  const secure = target.protocol === 'rediss:';
  return new Cluster([{ host: target.hostname, port: Number(target.port || 6379) }], {
    enableOfflineQueue: false,
    slotsRefreshTimeout: limits.connect,
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    maxRedirections: 4,
    clusterRetryStrategy: (times) => Math.min(times * 50, 1_000),
    // Certificates name hosts, so with TLS the names must survive the look-up.
    ...(secure && { dnsLookup: (host, done) => done(null, host) }),
    redisOptions: {
      ...options,
      ...(target.username && { username: decodeURIComponent(target.username) }),
      ...(target.password && { password: decodeURIComponent(target.password) }),
      ...(secure && { tls: {} }),
    },
  });
}

/** Stops asking a Redis that does not answer, and asks on its own whether it is back. */
class Breaker {
  state: RedisState = 'up';
  readonly listeners = new Set<(state: RedisState, reason?: unknown) => void>();
  readonly #probe: () => Promise<unknown>;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(probe: () => Promise<unknown>) {
    this.#probe = probe;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(reason: unknown): void {
    this.#failures += 1;
    if (this.state === 'down' || this.#failures < limits.failures) return;
    this.#change('down', reason);
    this.#probeSoon();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #probeSoon(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#probe().then(
        () => {
          this.#failures = 0;
          this.#change('up');
        },
        () => this.#probeSoon(),
      );
    }, limits.probe).unref();
  }

  #change(state: RedisState, reason?: unknown): void {
    this.state = state;
    for (const listener of this.listeners) listener(state, reason);
  }
}

const away = (cause?: unknown): AppError =>
  new AppError('unavailable', 'The server cannot reach its store. Try again in a moment.', { retryAfter: 1 }, cause);

/**
 * Opens Redis, or Redis Cluster with `?cluster=true`. It connects in the background and again whenever it has to.
 * A command may take so many milliseconds.
 */
export function openRedis(url: string, milliseconds = usualMilliseconds): RedisConnection {
  const client = connect(url, milliseconds);
  const within = createPatience(milliseconds, 'Redis');
  const breaker = new Breaker(() => within(client.ping()));
  // Without a listener the driver would write to the console; what matters comes back to the caller.
  client.on('error', () => undefined);

  const run = async <T>(commands: (client: RedisClient) => Promise<T>): Promise<T> => {
    const unit = currentUnitOfWork();
    // One failed wait per request is enough; the rest of it cannot succeed any more.
    if (breaker.state === 'down' || unit?.storeFailure !== undefined) {
      const failure = away(unit?.storeFailure);
      if (unit) unit.storeFailure ??= failure;
      throw failure;
    }
    try {
      const result = await within(commands(client));
      breaker.succeeded();
      return result;
    } catch (error) {
      if (!isRedisUnavailable(error)) throw error;
      breaker.failed(error);
      if (unit) unit.storeFailure ??= error;
      throw away(error);
    }
  };

  return {
    client,
    get state() {
      return breaker.state;
    },
    onState(listener) {
      breaker.listeners.add(listener);
      return () => breaker.listeners.delete(listener);
    },
    async ready(milliseconds) {
      if (client.status === 'ready') return true;
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), milliseconds);
        client.once('ready', () => {
          clearTimeout(timer);
          resolve(true);
        });
      });
    },
    run,
    evaluate: (text, keys, values) => run(() => evaluateOn(client, text, keys, values)),
    async [Symbol.asyncDispose]() {
      breaker.stop();
      client.disconnect();
    },
  };
}
