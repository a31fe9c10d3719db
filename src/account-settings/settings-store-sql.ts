import { lockAccount } from '../accounts/lock-account-sql.ts';
import type { Database } from '../storage/database.ts';
import type { FactorTimes, SettingsStore } from './settings-store.ts';

/** Locks the account's row, and reads the times beside the secrets of the credentials domain, none of which it reads. */
export const createSqlSettingsStore = (database: Database): SettingsStore => ({
  transaction: (work) => database.transaction(work),

  lock: (accountId) => lockAccount(database, accountId),

  async timesOf(accountId) {
    const { rows } = await database.sql.raw<{ rows: Record<keyof FactorTimes, Date | null>[] }>(
      `select (select changed_at from password where account_id = :accountId) as "password",
              (select enrolled_at from totp where account_id = :accountId) as "totp",
              (select created_at from backup_codes where account_id = :accountId) as "backupCodes"`,
      { accountId },
    );
    const known = Object.entries(rows[0] ?? {}).flatMap(([name, at]) => (at ? [[name, at.getTime()]] : []));
    return Object.fromEntries(known) as FactorTimes;
  },
});
