import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { createLogs, silentLogger } from '../../src/shared/logger.ts';
import { fillDataDir } from './scratch.ts';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface RunningApp extends AsyncDisposable {
  readonly app: App;
  /** The issuer, where it really listens. */
  readonly url: string;
  readonly dataDir: string;
}

/** Waits for the stores, which connect while the server listens. Where one of them is away on purpose, not for long. */
async function untilReady(managementPort: number): Promise<void> {
  for (const end = Date.now() + 3_000; Date.now() < end; await delay(20)) {
    if ((await fetch(`http://127.0.0.1:${managementPort}/readyz`)).ok) return;
  }
}

/**
 * The whole server on free ports with a data directory of its own and no demo data.
 * `env` overrides single variables; without DATABASE_URL and REDIS_URL in it everything is embedded. A `clock` other than
 * the system's may run ahead a little: oidc-provider goes by the system's.
 */
export async function startApp(
  env: Record<string, string> = {},
  options: { readonly clock?: Clock } = {},
): Promise<RunningApp> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  try {
    return await startIn(dataDir, env, options);
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(
  dataDir: string,
  env: Record<string, string>,
  options: { readonly clock?: Clock },
): Promise<RunningApp> {
  const port = await freePort();
  if (!env.DATABASE_URL) fillDataDir(dataDir);
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: String(port),
    HOST: '127.0.0.1',
    SALLYPORT_ISSUER: `http://127.0.0.1:${port}`,
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
    SALLYPORT_DEMO: 'false',
    SALLYPORT_MANAGEMENT_PORT: '0',
    SALLYPORT_PLAYGROUND_PORT: '0',
    SALLYPORT_DRAIN_SECONDS: '0',
    SALLYPORT_LOG_LEVEL: 'silent',
    // A machine that runs all tests at once may let Redis wait for its turn.
    SALLYPORT_REDIS_TIMEOUT_MS: '1500',
    SALLYPORT_ARGON2_MEMORY_KIB: '7168',
    SALLYPORT_ARGON2_PASSES: '1',
    ...env,
  });
  const app = await createApp(config, {
    ...options,
    logger: process.env.TEST_LOG ? createLogs({ level: process.env.TEST_LOG, pretty: false }).logger : silentLogger(),
  });
  const { managementPort } = await app.listen();
  await untilReady(managementPort);
  return {
    app,
    url: config.issuer,
    dataDir,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
