import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDomains } from '../../src/app/domains.ts';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { testDatabase } from '../support/database.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results of every shape
  json(): any;
}

/** The environment of a command line on a data directory of its own. */
export const environment = (dataDir: string, more: Record<string, string> = {}): Record<string, string> => ({
  NODE_ENV: 'test',
  SALLYPORT_DATA_DIR: dataDir,
  SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
  SALLYPORT_ARGON2_MEMORY_KIB: '7168',
  SALLYPORT_ARGON2_PASSES: '1',
  ...more,
});

/** Runs one command line in this process. */
export async function cli(env: Record<string, string>, words: readonly string[], stdin = ''): Promise<Run> {
  let out = '';
  let err = '';
  const code = await runCli(words, {
    env,
    readStdin: async () => stdin,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err, json: () => JSON.parse(out) };
}

/** A whole server with a control socket, as commands find it in its data directory. */
export async function startControlled(): Promise<{ readonly server: RunningApp } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startApp());
  const { dataDir, app } = server;
  stack.use(await startControlSocket({ dataDir, domains: app.domains, logger: silentLogger() }));
  const owned = stack.move();
  return { server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export interface FakeServer extends AsyncDisposable {
  readonly dataDir: string;
  readonly config: Config;
  readonly domains: ReturnType<typeof createDomains>;
  /** Runs a command that this server executes. */
  run(words: readonly string[], stdin?: string): Promise<Run>;
}

/** A running server as far as the command line sees one: domains on the shared test database behind a control socket. */
export async function startFakeServer(): Promise<FakeServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  const env = environment(dataDir);
  const config = loadConfig(env);
  const domains = createDomains(config, await testDatabase(), systemClock, silentLogger());
  const socket = await startControlSocket({ dataDir, domains, logger: silentLogger() });
  return {
    dataDir,
    config,
    domains,
    run: (words, stdin) => cli(env, words, stdin),
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await domains.hasher[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
