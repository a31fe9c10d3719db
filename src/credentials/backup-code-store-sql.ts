import type { Database } from '../storage/database.ts';
import type { BackupCodeStore } from './backup-code-store.ts';

interface Row {
  salt: string;
  memory_kib: number;
  passes: number;
}

/** Backup codes in table `backup_codes`, one row per account. */
export const createSqlBackupCodeStore = (database: Database): BackupCodeStore => ({
  async find(accountId) {
    const row = (await database
      .sql('backup_codes')
      .where({ account_id: accountId })
      .first('salt', 'memory_kib', 'passes')) as Row | undefined;
    return row && { salt: row.salt, cost: { memoryKiB: row.memory_kib, passes: row.passes } };
  },

  async put(accountId, { salt, cost }, hashes, at) {
    const columns = {
      salt,
      memory_kib: cost.memoryKiB,
      passes: cost.passes,
      unused: [...hashes],
      created_at: new Date(at),
    };
    await database
      .sql('backup_codes')
      .insert({ account_id: accountId, ...columns })
      .onConflict('account_id')
      .merge();
  },

  async has(accountId, hash) {
    const row = await database
      .sql('backup_codes')
      .where({ account_id: accountId })
      .whereRaw(':hash = any(unused)', { hash })
      .first('account_id');
    return row !== undefined;
  },

  async spend(accountId, hash) {
    const result = (await database.sql.raw(
      `update backup_codes set unused = array_remove(unused, :hash)
       where account_id = :accountId and :hash = any(unused)
       returning cardinality(unused) as left`,
      { accountId, hash },
    )) as { rows: { left: number }[] };
    return result.rows[0]?.left;
  },

  async remove(accountId) {
    await database.sql('backup_codes').where({ account_id: accountId }).delete();
  },
});
