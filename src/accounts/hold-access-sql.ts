import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';

const hold = statement('select pg_advisory_xact_lock(hashtextextended($1::text, 0))');

/**
 * Makes whoever else signs this account in, or takes it back from all who are in, wait until the transaction at hand ends.
 * So one of two at the same moment sees what the other one did. It comes after locks of rows that the account owns, and
 * before those of its sign-ins and sessions.
 */
export async function holdAccess(database: Database, id: AccountId): Promise<void> {
  await database.query(hold, [`session ${id}`]);
}
