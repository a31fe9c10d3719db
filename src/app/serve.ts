import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { createApp } from '../app.ts';
import { startControlSocket } from '../cli/control-socket.ts';
import { type Config, ConfigError, loadConfig } from '../config/load.ts';
import { openings } from '../config/reach.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import { createLogs, type Logs } from '../shared/logger.ts';
import { type Resources, withResources } from '../shared/resources.ts';
import { openRedis } from '../storage/redis.ts';
import { banner, noteFor, warningsFor } from './banner.ts';
import { type DemoSummary, seedDemo } from './demo-data.ts';
import type { Domains } from './domains.ts';
import { assertPortsFree, withVariable } from './needed-ports.ts';
import { openPlayground } from './playground.ts';

const logsOf = (config: Config): Logs =>
  createLogs({ level: config.SALLYPORT_LOG_LEVEL, pretty: process.stdout.isTTY && !config.production });

/** Waits for SIGTERM or SIGINT. A second one ends the process at once, for people who cannot wait. */
async function untilSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.kill(process.pid, 'SIGKILL'));
}

/**
 * Runs the server until it is told to stop, then drains it.
 * @throws ConfigError, or whatever keeps it from starting.
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env);
  const resources = await withResources((opened) => start(config, opened));
  // Otherwise it is written at the end, and a process that is killed has compiled for nothing.
  setTimeout(flushCompileCache, 1_000).unref();
  await untilSignal();
  await resources[Symbol.asyncDispose]();
}

/** What to do with a database that only this machine may reach. */
const wayOut = (config: Config): string =>
  config.production
    ? 'Give production one of its own.'
    : `A server that others can reach (${openings(config).join(', ')}) needs one of its own, by SALLYPORT_DATA_DIR or DATABASE_URL.`;

/** How long Redis may take before it is said not to answer. */
const redisMs = 2_000;

/** Whether Redis answers, or there is none. Asked over a connection of its own; the server's connects when it can. */
async function redisAnswers({ REDIS_URL: url }: Config): Promise<boolean> {
  if (url === undefined) return true;
  const redis = openRedis(url);
  try {
    return await redis.ready(redisMs);
  } finally {
    await redis[Symbol.asyncDispose]();
  }
}

/** Whether somebody may open the admin pages. Where there are many accounts that is not looked for. */
async function hasAdmin({ accounts }: Pick<Domains, 'accounts'>): Promise<boolean> {
  const most = 100;
  const found = await accounts.list({ limit: most });
  return found.length === most || found.some(({ roles, status }) => roles.includes('admin') && status === 'active');
}

async function start(config: Config, resources: Resources): Promise<Resources> {
  const { logger, access } = logsOf(config);
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const onProgress = (text: string): void => say(`  ${text}`);
  await assertPortsFree(config);
  let demo: DemoSummary | undefined;
  const app = resources.use(
    await createApp(config, {
      logger,
      access,
      onProgress,
      demoAccounts: () => (demo?.users ?? []).map((user) => ({ ...user, note: noteFor(user) })),
    }),
  );
  if ((config.production || !config.local) && (await app.domains.clients.find('playground'))) {
    throw new AppError('conflict', `This database has demo data, whose passwords lie in a file. ${wayOut(config)}`);
  }
  if (config.demo) {
    const playgroundOrigin = `http://localhost:${config.SALLYPORT_PLAYGROUND_PORT}`;
    const { issuer, dataDir } = config;
    const seeded = await seedDemo({ ...app.domains, issuer, playgroundOrigin, dataDir, onProgress });
    // Nobody in it: the database has accounts of its own.
    demo = seeded.users.length > 0 ? seeded : undefined;
  }
  let port: number;
  try {
    ({ port } = await app.listen());
    resources.use(await startControlSocket({ dataDir: config.dataDir, domains: app.domains, logger }));
    resources.use(demo && (await openPlayground({ config, demo, domains: app.domains, logger })));
  } catch (error) {
    throw await withVariable(error, config);
  }
  const findings = {
    port,
    redisAnswers: await redisAnswers(config),
    // Only a line of what is shown depends on it.
    hasAdmin: demo !== undefined || (await hasAdmin(app.domains).catch(() => true)),
  };
  for (const warning of warningsFor(config, findings)) logger.warn(warning);
  say(banner(config, demo, findings));
  return resources;
}

/** What keeps the server from starting, with the fields that a refusal names. */
export function startError(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const fields = Object.entries((error instanceof AppError && error.details.fields) || {});
  return [`Sallyport could not start: ${reasonOf(error)}`, ...fields.map(([name, text]) => `  ${name}: ${text}`)].join(
    '\n',
  );
}

/**
 * {@link serve} for a process: what keeps it from starting goes to standard error. Resolves to the exit code: 2 for a
 * wrong configuration, as every command has it.
 */
export async function run(env: NodeJS.ProcessEnv): Promise<number> {
  try {
    await serve(env);
    return 0;
  } catch (error) {
    process.stderr.write(`${startError(error)}\n`);
    const wrongInput = error instanceof AppError && error.code === 'invalid_input';
    return error instanceof ConfigError || wrongInput ? 2 : 1;
  }
}
