import type { Database } from '../storage/database.ts';
import { createSqlBackupCodeStore } from './backup-code-store-sql.ts';
import type { CredentialStore, Factors } from './credential-store.ts';
import { createSqlTotpStore } from './totp-store-sql.ts';

/** Credentials in tables `password`, `totp`, `totp_pending` and `backup_codes`. */
export const createSqlCredentialStore = (database: Database): CredentialStore => ({
  transaction: (work) => database.transaction(work),
  totp: createSqlTotpStore(database),
  backupCodes: createSqlBackupCodeStore(database),

  passwords: {
    async find(accountId) {
      const row = await database
        .sql('password')
        .where({ account_id: accountId ?? '' })
        .first('hash');
      return row?.hash as string | undefined;
    },
    async put(accountId, hash, changedAt) {
      await database
        .sql('password')
        .insert({ account_id: accountId, hash, changed_at: new Date(changedAt) })
        .onConflict('account_id')
        .merge();
    },
    async replace(accountId, old, hash) {
      const changed = await database.sql('password').where({ account_id: accountId, hash: old }).update({ hash });
      return changed === 1;
    },
  },

  async factorsOf(accountId) {
    const result = (await database.sql.raw(
      `select
         exists (select from password where account_id = :accountId) as "password",
         exists (select from totp where account_id = :accountId) as "totp",
         coalesce((select cardinality(unused) from backup_codes where account_id = :accountId), 0) as "backupCodes"`,
      { accountId },
    )) as { rows: [Factors] };
    return result.rows[0];
  },
});
