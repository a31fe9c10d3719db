import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';

/** Since when an account has what it proves itself with, in milliseconds; what it has not is left out. */
export interface FactorTimes {
  readonly password?: number;
  readonly authenticator?: number;
  readonly backupCodes?: number;
}

/** Reads the times beside the secrets of the credentials domain, and none of those. */
export const createSqlFactorTimes =
  (database: Database) =>
  async (accountId: AccountId): Promise<FactorTimes> => {
    const { rows } = await database.sql.raw<{ rows: Record<keyof FactorTimes, Date | null>[] }>(
      `select (select changed_at from password where account_id = :accountId) as "password",
              (select enrolled_at from totp where account_id = :accountId) as "authenticator",
              (select created_at from backup_codes where account_id = :accountId) as "backupCodes"`,
      { accountId },
    );
    const known = Object.entries(rows[0] ?? {}).flatMap(([name, at]) => (at ? [[name, at.getTime()]] : []));
    return Object.fromEntries(known) as FactorTimes;
  };
