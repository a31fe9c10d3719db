import type { Config } from '../config/load.ts';
import type { Logger } from '../shared/logger.ts';
import { type Database, openPostgres } from '../storage/database.ts';
import { migrate, pendingMigrations } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';

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

/** Opens the database that the configuration names, brought to this release's schema. */
export async function openDatabase(
  config: Config,
  logger: Logger,
  onProgress: (text: string) => void,
): Promise<Database> {
  const database = config.DATABASE_URL
    ? openPostgres(config.DATABASE_URL, { poolSize: config.SALLYPORT_DATABASE_POOL })
    : await openPglite(config.dataDir, { onProgress });
  try {
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
    throw error;
  }
}
