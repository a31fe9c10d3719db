import { reasonOf } from '../../src/shared/errors.ts';
import { browser, closeBrowser } from './browser.ts';
import { nginxVersion } from './nginx.ts';
import { createTestDatabase, LaneMissing, startPostgres } from './postgres.ts';

import { startRedis } from './redis.ts';

/** One of the real parts that a run of the tests has or lacks. */
export interface Lane {
  readonly name: 'PGlite' | 'PostgreSQL' | 'Redis' | 'Browser' | 'nginx';
  /** Where it comes from, or why there is none. */
  readonly detail: string;
  readonly ran: boolean;
}

interface Started {
  readonly detail: string;
  /** Set for the tests. */
  readonly env: Readonly<Record<string, string>>;
}

type Start = (stack: AsyncDisposableStack) => Promise<Started>;

const postgres: Start = async (stack) => {
  const given = process.env.DATABASE_URL;
  const server = given ?? stack.use(await startPostgres()).url;
  const { url } = stack.use(await createTestDatabase(server));
  return { detail: given ? 'from DATABASE_URL' : 'started for this run', env: { TEST_DATABASE_URL: url } };
};

const redis: Start = async (stack) => {
  const given = process.env.REDIS_URL;
  const url = given ?? stack.use(await startRedis()).url;
  return { detail: given ? 'from REDIS_URL' : 'started for this run', env: { TEST_REDIS_URL: url } };
};

/** Starts the browser once, so that unpacking it is no test's time and its absence is known before the first. */
const chromium: Start = async () => {
  try {
    const version = (await browser()).version();
    return { detail: `Chromium ${version}`, env: { TEST_BROWSER_READY: 'true' } };
  } finally {
    await closeBrowser();
  }
};

/** Each test starts its own nginx, with the configuration that it is about. */
const nginx: Start = async () => ({ detail: `nginx ${nginxVersion()}`, env: { TEST_NGINX: 'true' } });

/** The lanes of one process of tests, and the variables that lead its tests to them. */
export interface Lanes {
  readonly list: readonly Lane[];
  readonly env: Readonly<Record<string, string>>;
}

async function start(
  name: Lane['name'],
  begin: Start,
  stack: AsyncDisposableStack,
  env: Record<string, string>,
): Promise<Lane> {
  try {
    const { detail, env: own } = await begin(stack);
    Object.assign(env, own);
    return { name, detail, ran: true };
  } catch (error) {
    const detail = error instanceof LaneMissing ? error.message : reasonOf(error);
    return { name, detail, ran: false };
  }
}

/** Starts what this machine has; PGlite is always there. Disposing the stack stops and removes all of it. */
export async function startLanes(stack: AsyncDisposableStack): Promise<Lanes> {
  const env: Record<string, string> = {};
  const list: Lane[] = [
    { name: 'PGlite', detail: 'embedded', ran: true },
    await start('PostgreSQL', postgres, stack, env),
    await start('Redis', redis, stack, env),
    await start('Browser', chromium, stack, env),
    await start('nginx', nginx, stack, env),
  ];
  return { list, env };
}
