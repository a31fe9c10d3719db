import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import knexFactory, { type Knex } from 'knex';
import { createDatabase, type Database } from './database.ts';

/** Opens the embedded database in `dir`, or one in memory when `dir` is undefined. */
export async function openPglite(dir: string | undefined): Promise<Database> {
  const pglite = await PGlite.create(dir ?? 'memory://');
  const pool = knexFactory({
    client: 'pg',
    connection: () => createPgConfig(pglite) as unknown as Knex.PgConnectionConfig,
    pool: { min: 1, max: 1 },
    acquireConnectionTimeout: 10_000,
  });
  return createDatabase(pool, 'pglite', () => pglite.close());
}
