import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, readConfig } from '../config/load.ts';
import type { Check } from './check.ts';
import { callServer } from './control-client.ts';
import { checkDatabase } from './doctor-database.ts';
import { checkMail } from './doctor-mail.ts';
import { checkIssuer, checkRedis } from './doctor-network.ts';

function checkConfig(config: Config): Check {
  const mode = config.production ? 'production' : 'development: own secrets, demo data';
  return { name: 'configuration', status: 'ok', detail: `${config.issuer} (${mode})` };
}

function checkDataDir({ dataDir, DATABASE_URL }: Config): Check {
  const name = 'data directory';
  if (!existsSync(dataDir)) return { name, status: 'ok', detail: `${dataDir} will be made at the first start` };
  if (process.platform !== 'win32' && (statSync(dataDir).mode & 0o077) !== 0) {
    return { name, status: 'warn', detail: `${dataDir} can be opened by others`, fix: `chmod 700 ${dataDir}` };
  }
  const forgotten = DATABASE_URL !== undefined && existsSync(join(dataDir, 'database'));
  if (!forgotten) return { name, status: 'ok', detail: dataDir };
  return {
    name,
    status: 'warn',
    detail: `${dataDir} has an embedded database, which is not used while DATABASE_URL is set`,
    fix: 'Remove it when nothing in it is missed.',
  };
}

async function findServer(dataDir: string): Promise<number | undefined> {
  const response = await callServer(dataDir, { command: 'ping', input: {} });
  return response?.ok ? (response.result as { pid: number }).pid : undefined;
}

/** Looks at everything that the server needs, changes nothing, and says what to do about what is wrong. */
export async function runDoctor(env: NodeJS.ProcessEnv): Promise<Check[]> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((detail) => ({ name: 'configuration', status: 'fail', detail }));
  }
  const server = await findServer(config.dataDir);
  const running: Check = {
    name: 'server',
    status: 'ok',
    detail: server === undefined ? 'none runs on this data directory' : `runs as process ${server}`,
  };
  return [
    checkConfig(config),
    checkDataDir(config),
    running,
    ...(await checkDatabase(config, server)),
    ...(await checkRedis(config)),
    await checkMail(config),
    await checkIssuer(config, server !== undefined),
  ];
}
