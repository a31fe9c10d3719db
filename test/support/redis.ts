import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { openRedis, type RedisConnection } from '../../src/storage/redis.ts';
import { freePort, LaneMissing, stopProcess } from './postgres.ts';

/** A Redis of the test's own. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** `kill -9`. What it wrote to its directory stays there. */
  crash(): Promise<void>;
  /** Starts it again after {@link crash}, with what its directory has; on another port when one is given. */
  restart(port?: number): Promise<void>;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

const hasProgram = (): boolean => spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

async function untilReady(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) {
    if (child.exitCode !== null) break;
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
      return;
    } catch {
      // Not yet.
    } finally {
      client.disconnect();
    }
  }
  throw new Error(`Redis did not start:\n${log()}`);
}

async function spawnRedis(dir: string, port: number, extra: readonly string[]): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...settings, ...extra], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (text: Buffer): void => {
    log = (log + text.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  try {
    await untilReady(port, child, () => log);
  } catch (error) {
    await kill(child);
    throw error;
  }
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGCONT');
  await stopProcess(child, 'SIGKILL');
}

/**
 * Starts a Redis on a free port of loopback (or on `port`), without persistence, in a temporary directory. `arguments`
 * come last, so they may give it some.
 * @throws LaneMissing when this machine has none.
 */
export async function startRedis(options: { port?: number; arguments?: string[] } = {}): Promise<RedisServer> {
  if (!hasProgram()) throw new LaneMissing('no REDIS_URL, and no redis-server on the path');
  const { arguments: extra = [] } = options;
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-redis-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  let port = options.port ?? (await freePort());
  let child = await spawnRedis(dir, port, extra).catch((error: unknown) => {
    remove();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await kill(child);
    remove();
  };
  return {
    get url() {
      return `redis://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get pid() {
      return child.pid ?? 0;
    },
    crash: () => kill(child),
    async restart(other = port) {
      port = other;
      child = await spawnRedis(dir, port, extra);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Opens a Redis and waits for it. It has far more patience than a server has: what tests ask about stores is not how
 * fast a busy machine is.
 */
export async function openPatiently(url: string): Promise<RedisConnection> {
  const redis = openRedis(url, 10_000);
  if (await redis.ready(20_000)) return redis;
  await redis[Symbol.asyncDispose]();
  throw new Error('Redis is there but did not become ready.');
}

/**
 * What is started, or undefined on a machine that lacks it, which says so and skips its tests.
 * @throws LaneMissing all the same where SALLYPORT_TEST_REQUIRE demands that everything runs.
 */
export async function ifThere<T>(
  start: () => Promise<T>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof LaneMissing) || env.SALLYPORT_TEST_REQUIRE === 'all') throw error;
    console.log(`    skipped: ${error.message}`);
    return undefined;
  }
}

/** Waits until a node of a cluster serves: that all agree on who has which slot does not say so yet. */
async function untilServing(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    for (const end = Date.now() + 20_000; Date.now() < end; await delay(20)) {
      if (String(await client.cluster('INFO')).includes('cluster_state:ok')) return;
    }
  } finally {
    client.disconnect();
  }
  throw new Error('A node of the Redis Cluster does not serve.');
}

/**
 * Starts a Redis Cluster of three masters without replicas. The url names the first.
 * @throws LaneMissing when this machine has no Redis that can form one.
 */
export async function startRedisCluster(): Promise<{ readonly url: string } & AsyncDisposable> {
  if (!hasProgram()) throw new LaneMissing('no redis-server on the path');
  await using stack = new AsyncDisposableStack();
  const nodes: RedisServer[] = [];
  for (let index = 0; index < 3; index += 1) {
    // The bus listens on its own port; the default, 10000 above, may not exist.
    const bus = await freePort();
    const extra = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '15000'];
    nodes.push(stack.use(await startRedis({ arguments: extra })));
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const made = spawnSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { encoding: 'utf8' });
  if (made.status !== 0) throw new LaneMissing(`redis-cli made no cluster: ${made.stdout}${made.stderr}`.slice(0, 400));
  for (const { port } of nodes) await untilServing(port);
  const owned = stack.move();
  return { url: `${nodes[0]?.url}?cluster=true`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
