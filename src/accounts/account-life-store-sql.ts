import type { AccountId } from '../shared/ids.ts';
import { asAccountId } from '../shared/ids.ts';
import { type Database, isUniqueViolation } from '../storage/database.ts';
import type { Account, AccountStatus } from './account.ts';
import type { AccountLifeStore } from './account-life-store.ts';
import { fromRow, type Row } from './account-store-sql.ts';

/** The life of accounts in table `account`. Tables that refer to it delete with it. */
export function createSqlAccountLifeStore(database: Database): AccountLifeStore {
  /** One statement; columns are `column = expression` with named values. */
  async function change(set: string, where: string, values: Record<string, unknown>): Promise<Account | undefined> {
    const { rows } = await database.sql.raw<{ rows: Row[] }>(
      `update account set ${set}, updated_at = :at, version = version + 1 where id = :id and ${where} returning *`,
      values,
    );
    return rows[0] && fromRow(rows[0]);
  }
  const plain = (id: AccountId, from: readonly AccountStatus[], at: number) => ({
    id,
    from: [...from],
    at: new Date(at),
  });

  return {
    transaction: (work) => database.transaction(work),

    async find(id) {
      const row = await database.sql<Row>('account').where({ id }).first();
      return row && fromRow(row as Row);
    },

    verify: (id, emailKey, from, at) =>
      change(
        `email_verified = true, status = 'active'`,
        `email_key = :emailKey and (status = any(:from) or (status = 'active' and not email_verified))`,
        { ...plain(id, from, at), emailKey },
      ),

    async setEmail(id, fromKey, { address, key }, at) {
      try {
        const changed = await change(
          'email = :address, email_key = :key, email_verified = true',
          `email_key = :fromKey and status = 'active'
           and not exists (select from account as other where other.email_key = :key and other.id <> :id)`,
          { id, fromKey, address, key, at: new Date(at) },
        );
        if (changed) return changed;
      } catch (error) {
        if (isUniqueViolation(error, 'account_email_key')) return 'taken';
        throw error;
      }
      const other = await database.sql('account').where({ email_key: key }).whereNot({ id }).first('id');
      return other ? 'taken' : undefined;
    },

    lock: (id, from, at) => change(`status = 'locked'`, 'status = any(:from)', plain(id, from, at)),

    markDeleted: (id, from, at) =>
      change(`status = 'deleted', deleted_from = status, deleted_at = :at`, 'status = any(:from)', plain(id, from, at)),

    restore: (id, at) =>
      change(
        `status = coalesce(deleted_from, 'suspended'), deleted_from = null, deleted_at = null`,
        `status = 'deleted'`,
        { id, at: new Date(at) },
      ),

    async removeUnverified(id, emailKey) {
      const waiting = { id, email_key: emailKey, status: 'unverified', email_verified: false };
      return (await database.sql('account').where(waiting).delete()) === 1;
    },

    async removeDeleted(before, limit) {
      const { rows } = await database.sql.raw<{ rows: { id: string }[] }>(
        `delete from account where id in (
           select id from account where deleted_at <= ? and status = 'deleted'
           order by deleted_at limit ? for update skip locked
         ) returning id`,
        [new Date(before), limit],
      );
      return rows.map(({ id }) => asAccountId(id));
    },
  };
}
