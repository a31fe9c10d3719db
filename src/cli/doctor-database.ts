import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createDomains } from '../app/domains.ts';
import { type Config, withSecrets } from '../config/load.ts';
import type { Keys, KeyView } from '../keys/index.ts';
import { systemClock } from '../shared/clock.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import { type Database, openPostgres } from '../storage/database.ts';
import { pendingMigrations } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';
import type { Check } from './check.ts';
import { callServer } from './control-client.ts';
import { describeSealed, secretsOfServer } from './doctor-secrets.ts';

const oldestPostgres = 15;
const drift = { warn: 2_000, fail: 30_000 };

/** Database, schema, clock and keys. An embedded database that a server has is looked at through that server. */
export async function checkDatabase(config: Config, server: number | undefined): Promise<Check[]> {
  const name = 'database';
  if (config.DATABASE_URL === undefined && server !== undefined) {
    const detail = `embedded, in use by the running server (process ${server})`;
    return [{ name, status: 'ok', detail }, await keysOfServer(config.dataDir), await secretsOfServer(config.dataDir)];
  }
  if (config.DATABASE_URL === undefined && !existsSync(join(config.dataDir, 'database'))) {
    return [{ name, status: 'ok', detail: 'embedded, will be made at the first start' }];
  }
  let database: Database | undefined;
  try {
    database = config.DATABASE_URL
      ? openPostgres(config.DATABASE_URL, { poolSize: 1 })
      : await openPglite(config.dataDir);
    return await checkOpen(config, database);
  } catch (error) {
    const fix = config.DATABASE_URL
      ? 'Is DATABASE_URL right, does the server run, and may this user connect?'
      : 'Is another process using the data directory, or its disk full?';
    return [{ name, status: 'fail', detail: reasonOf(error), fix }];
  } finally {
    await database?.[Symbol.asyncDispose]();
  }
}

async function checkOpen(config: Config, database: Database): Promise<Check[]> {
  const { rows } = await database.sql.raw<{ rows: { version: string; number: number }[] }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
  );
  const [{ version, number } = { version: 'unknown', number: 0 }] = rows;
  const kind = database.kind === 'pglite' ? 'embedded' : 'server';
  const old = Math.trunc(number / 10_000) < oldestPostgres;
  return [
    {
      name: 'database',
      status: old ? 'warn' : 'ok',
      detail: `PostgreSQL ${version} (${kind})`,
      ...(old && { fix: `Upgrade to PostgreSQL ${oldestPostgres} or later.` }),
    },
    await checkClock(database),
    ...(await checkSchema(config, database)),
  ];
}

async function checkClock(database: Database): Promise<Check> {
  const name = 'clock';
  if (database.kind === 'pglite') return { name, status: 'ok', detail: new Date().toISOString() };
  const before = Date.now();
  const { rows } = await database.sql.raw<{ rows: { now: string }[] }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
  );
  const difference = Math.round(Number(rows[0]?.now) - (before + Date.now()) / 2);
  const size = Math.abs(difference);
  const status = size > drift.fail ? 'fail' : size > drift.warn ? 'warn' : 'ok';
  const detail = `the database's is ${size} ms ${difference < 0 ? 'behind' : 'ahead'}`;
  return { name, status, detail, ...(status !== 'ok' && { fix: 'Synchronize the clocks of both machines (NTP).' }) };
}

async function checkSchema(config: Config, database: Database): Promise<Check[]> {
  const pending = await pendingMigrations(database);
  if (pending === 0) {
    return [{ name: 'schema', status: 'ok', detail: 'up to date' }, ...(await sealedIn(config, database))];
  }
  const auto = config.SALLYPORT_AUTO_MIGRATE;
  const fix = auto ? 'The next start applies them.' : 'Run `sallyport migrate`.';
  return [{ name: 'schema', status: auto ? 'warn' : 'fail', detail: `${pending} migrations are not applied`, fix }];
}

function describeKeys(keys: readonly Pick<KeyView, 'alg' | 'state'>[]): Check {
  const name = 'keys';
  if (keys.length === 0) return { name, status: 'ok', detail: 'none yet; the server makes them at its first start' };
  const signing = keys.filter(({ state }) => state === 'signing').map(({ alg }) => alg);
  const algorithms = [...new Set(keys.map(({ alg }) => alg))];
  const without = algorithms.filter((alg) => !signing.includes(alg));
  if (without.length === 0) return { name, status: 'ok', detail: `signing with ${signing.join(', ')}` };
  return { name, status: 'warn', detail: `nothing signs ${without.join(', ')}`, fix: 'Run `sallyport keys rotate`.' };
}

async function sealedIn(config: Config, database: Database): Promise<Check[]> {
  const { keys, hasher, sealedData } = createDomains(withSecrets(config), database, systemClock, silentLogger());
  try {
    return [await keysOfDatabase(keys), describeSealed(await sealedData.status())];
  } finally {
    await hasher[Symbol.asyncDispose]();
  }
}

async function keysOfDatabase(keys: Keys): Promise<Check> {
  try {
    const known = await keys.list();
    // Opens each of them and, unlike a start, makes none.
    if (known.length > 0) await keys.ensureFresh();
    return describeKeys(known);
  } catch (error) {
    const detail = error instanceof AppError ? (error.details.reason ?? error.message) : reasonOf(error);
    return {
      name: 'keys',
      status: 'fail',
      detail,
      fix: 'Put the secret that they were sealed with back into SALLYPORT_SECRETS.',
    };
  }
}

async function keysOfServer(dataDir: string): Promise<Check> {
  const response = await callServer(dataDir, { command: 'keys list', input: {} });
  if (response?.ok) return describeKeys(response.result as KeyView[]);
  return { name: 'keys', status: 'fail', detail: response?.error.message ?? 'the server has stopped meanwhile' };
}
