import type { Database } from './database.ts';

/**
 * Tells all nodes that listen to this channel of PostgreSQL that there is something to look at. It goes out when the
 * transaction at hand is committed. The embedded database has one process, and nobody to tell.
 */
export async function tellOthers(database: Database, channel: string): Promise<void> {
  if (database.kind === 'postgres') await database.sql.raw('select pg_notify(?, ?)', [channel, '']);
}
