import { type AccountId, asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { PendingRegistrationStore } from './pending-registration-store.ts';

/** Registrations that wait, in table `pending_registration`. */
export const createSqlPendingRegistrationStore = (database: Database): PendingRegistrationStore => ({
  async add({ accountId, browserHash, registeredAt }) {
    await database.sql('pending_registration').insert({
      account_id: accountId,
      browser_hash: browserHash ?? null,
      registered_at: new Date(registeredAt),
    });
  },

  async find(accountId: AccountId) {
    const row = (await database.sql('pending_registration').where({ account_id: accountId }).first('browser_hash')) as
      | { browser_hash: string | null }
      | undefined;
    return row && { browserHash: row.browser_hash ?? undefined };
  },

  async remove(accountId) {
    await database.sql('pending_registration').where({ account_id: accountId }).delete();
  },

  async takeOlder(before, limit) {
    const { rows } = await database.sql.raw<{ rows: { account_id: string }[] }>(
      `delete from pending_registration where account_id in (
         select account_id from pending_registration where registered_at <= ?
         order by registered_at limit ? for update skip locked
       ) returning account_id`,
      [new Date(before), limit],
    );
    return rows.map(({ account_id }) => asAccountId(account_id));
  },
});
