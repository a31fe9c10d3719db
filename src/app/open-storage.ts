import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { lockDataDir } from '../storage/data-dir-lock.ts';
import { type Database, openPostgres } from '../storage/database.ts';
import { migrate, pendingMigrations } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';
import { databaseProblem } from './database-problem.ts';

/** Migrates; on PostgreSQL over a connection of its own that may take its time. */
async function bringUpToDate({ DATABASE_URL: url }: Config, database: Database): Promise<string[]> {
  if (url === undefined || (await pendingMigrations(database)) === 0) return migrate(database);
  const patient = openPostgres(url, { poolSize: 1, patient: true });
  try {
    return await migrate(patient);
  } finally {
    await patient[Symbol.asyncDispose]();
  }
}

/** Whether the embedded database would have to be made. */
export const isMissing = ({ DATABASE_URL, dataDir }: Config): boolean =>
  DATABASE_URL === undefined && !existsSync(join(dataDir, 'database'));

const noDatabase = (where: string): AppError =>
  new AppError(
    'not_found',
    `There is no database of Sallyport in ${where}. Name the directory of your server in SALLYPORT_DATA_DIR, or its ` +
      'database in DATABASE_URL. `sallyport serve` makes a new one.',
  );

/** @throws AppError `not_found`, or DataDirInUse when a server that starts is about to make it */
function refuseMissing(config: Config): void {
  if (!isMissing(config)) return;
  // Whoever has the directory has this file; without it, nothing is to be left behind here.
  if (existsSync(join(config.dataDir, 'sallyport.lock'))) lockDataDir(config.dataDir)[Symbol.dispose]();
  throw noDatabase(config.dataDir);
}

async function refuseEmpty({ DATABASE_URL, dataDir }: Config, database: Database): Promise<void> {
  if (await database.sql.schema.hasTable('schema_migration')) return;
  throw noDatabase(DATABASE_URL === undefined ? dataDir : 'the database that DATABASE_URL names');
}

/**
 * Opens the database that the configuration names, brought to this release's schema.
 * @param make false refuses one that is not there or empty, and leaves nothing behind
 * @throws AppError `not_found` for that, `unavailable` when PostgreSQL cannot be used
 */
export async function openDatabase(
  config: Config,
  logger: Logger,
  onProgress: (text: string) => void,
  { make = true }: { readonly make?: boolean } = {},
): Promise<Database> {
  if (!make) refuseMissing(config);
  const database = config.DATABASE_URL
    ? openPostgres(config.DATABASE_URL, { poolSize: config.SALLYPORT_DATABASE_POOL })
    : await openPglite(config.dataDir, { onProgress });
  try {
    if (!make) await refuseEmpty(config, database);
    if (config.SALLYPORT_AUTO_MIGRATE) {
      const applied = await bringUpToDate(config, database);
      if (applied.length > 0) {
        logger.info({ migrations: applied.length, last: applied.at(-1) }, 'the schema was brought up to date');
      }
    } else if ((await pendingMigrations(database)) > 0) {
      throw new Error('The schema is older than this release. Run `npx sallyport migrate`.');
    }
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw config.DATABASE_URL === undefined ? error : databaseProblem(error, config.DATABASE_URL);
  }
}
