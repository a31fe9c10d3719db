import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import { createSqlBackupCodeStore } from './backup-code-store-sql.ts';
import type { CredentialStore, Factors } from './credential-store.ts';
import { createSqlSealedTotps, createSqlTotpStore } from './totp-store-sql.ts';

const factors = `
  exists (select from totp where account_id = $1) as totp,
  coalesce((select cardinality(unused) from backup_codes where account_id = $1), 0) as codes`;

const findFactors = statement(`select exists (select from password where account_id = $1) as password, ${factors}`);
const findAll = statement(`select (select hash from password where account_id = $1) as hash, ${factors}`);

interface FactorsRow {
  readonly totp: boolean;
  readonly codes: number;
}

/** Credentials in tables `password`, `totp`, `totp_pending` and `backup_codes`. */
export const createSqlCredentialStore = (database: Database): CredentialStore => ({
  transaction: (work) => database.transaction(work),
  totp: createSqlTotpStore(database),
  sealedTotps: createSqlSealedTotps(database),
  backupCodes: createSqlBackupCodeStore(database),

  passwords: {
    async find(accountId) {
      const row = await database.sql('password').where({ account_id: accountId }).first('hash');
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
    const [row] = await database.query<FactorsRow & { password: boolean }>(findFactors, [accountId]);
    return { password: row?.password ?? false, totp: row?.totp ?? false, backupCodes: row?.codes ?? 0 };
  },

  async lookUp(accountId) {
    const [row] = await database.query<FactorsRow & { hash: string | null }>(findAll, [accountId ?? '']);
    const hash = row?.hash ?? undefined;
    const found: Factors = { password: hash !== undefined, totp: row?.totp ?? false, backupCodes: row?.codes ?? 0 };
    return { hash, factors: found };
  },
});
