import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';

/** Remembers in SQL what was used up, for a store that may come back with what it had before: a failover, a snapshot. */
export interface UseMarks {
  /** Part of the unit of work at hand. False when it was used before; `expiresAt` (milliseconds) is that of the artifact. */
  mark(idHash: string, expiresAt: number): Promise<boolean>;
}

const insert = statement(`
  insert into artifact (kind, id_hash, payload, expires_at) values ('Use', $1, '', $2)
  on conflict do nothing returning 1`);

/** Marks in table `artifact`; they are purged with what else has expired there. */
export const createSqlUseMarks = (database: Database): UseMarks => ({
  async mark(idHash, expiresAt) {
    await database.join();
    return (await database.query(insert, [idHash, new Date(expiresAt)])).length > 0;
  },
});
