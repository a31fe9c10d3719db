import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';

/** Makes others who lock this account wait until the transaction at hand ends. */
export async function lockAccount(database: Database, id: AccountId): Promise<void> {
  // Not "for update": rows that refer to the account are added meanwhile without waiting.
  await database.sql.raw('select id from account where id = ? for no key update', [id]);
}
