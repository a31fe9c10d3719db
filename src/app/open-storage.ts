import type { Config } from '../config/load.ts';
import type { Logger } from '../shared/logger.ts';
import { type Database, openPostgres } from '../storage/database.ts';
import { migrate, pendingMigrations } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';

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
      const applied = await migrate(database);
      if (applied.length > 0) logger.info({ migrations: applied }, 'the schema was brought up to date');
    } else if ((await pendingMigrations(database)) > 0) {
      throw new Error('The schema is older than this release. Run `npx sallyport migrate`.');
    }
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}
