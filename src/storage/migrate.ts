import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import type { Database } from './database.ts';

const folder = join(import.meta.dirname, '..', '..', 'migrations');

interface Migration {
  up(sql: Knex): Promise<void>;
  down(sql: Knex): Promise<void>;
}

const source = {
  getMigrations: async (): Promise<string[]> =>
    readdirSync(folder)
      .filter((name) => /^\d{4}_.*\.ts$/.test(name))
      .sort(),
  getMigrationName: (name: string): string => name.replace(/\.ts$/, ''),
  getMigration: async (name: string): Promise<Migration> =>
    (await import(pathToFileURL(join(folder, name)).href)) as Migration,
};

/**
 * Brings the schema to this release and says which migrations ran. Two nodes may call it at once: an advisory lock
 * lets one work while the other waits, and a migrator that dies leaves nothing half done (each runs in a transaction).
 */
export async function migrate(database: Database): Promise<string[]> {
  if ((await pendingMigrations(database)) === 0) return [];
  const config = { migrationSource: source, tableName: 'schema_migration', disableMigrationsListValidation: true };
  return database.transaction(async () => {
    await database.sql.raw('select pg_advisory_xact_lock(727541)');
    await database.sql.raw('set local statement_timeout = 0');
    const [, names] = (await database.sql.migrate.latest(config)) as [number, string[]];
    return names;
  });
}

/** How many migrations this release has that the database has not. */
export async function pendingMigrations(database: Database): Promise<number> {
  const names = (await source.getMigrations()).map(source.getMigrationName);
  if (!(await database.sql.schema.hasTable('schema_migration'))) return names.length;
  const rows = (await database.sql('schema_migration').select('name')) as { name: string }[];
  const applied = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !applied.has(name)).length;
}
