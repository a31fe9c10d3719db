import { databaseProblem } from '../app/database-problem.ts';
import type { Config } from '../config/load.ts';
import { openPostgres } from '../storage/database.ts';
import { migrate } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';

/** Migrates the database that the configuration names; resolves to what was applied. */
export async function migrateHere(config: Config, onProgress: (text: string) => void): Promise<string[]> {
  const database = config.DATABASE_URL
    ? openPostgres(config.DATABASE_URL, { poolSize: 2 })
    : await openPglite(config.dataDir, { onProgress });
  try {
    return await migrate(database);
  } catch (error) {
    throw config.DATABASE_URL === undefined ? error : databaseProblem(error, config.DATABASE_URL);
  } finally {
    await database[Symbol.asyncDispose]();
  }
}
