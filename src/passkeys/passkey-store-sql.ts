import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import { createSqlCeremonyStore } from './ceremony-store-sql.ts';
import type { StoredPasskey } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';

interface Row {
  id: string;
  account_id: string;
  credential_id: string;
  public_key: Uint8Array;
  /** bigint, which drivers hand over as text or number. */
  sign_count: string | number;
  transports: string[];
  aaguid: string;
  backup_eligible: boolean;
  backed_up: boolean;
  name: string;
  created_at: Date;
  last_used_at: Date | null;
}

const fromRow = (row: Row): StoredPasskey => ({
  id: row.id,
  accountId: asAccountId(row.account_id),
  credentialId: row.credential_id,
  publicKey: new Uint8Array(row.public_key),
  signCount: Number(row.sign_count),
  transports: row.transports,
  aaguid: row.aaguid,
  backupEligible: row.backup_eligible,
  backedUp: row.backed_up,
  name: row.name,
  createdAt: row.created_at.getTime(),
  ...(row.last_used_at && { lastUsedAt: row.last_used_at.getTime() }),
});

const toRow = (passkey: StoredPasskey): Omit<Row, 'last_used_at'> => ({
  id: passkey.id,
  account_id: passkey.accountId,
  credential_id: passkey.credentialId,
  public_key: Buffer.from(passkey.publicKey),
  sign_count: passkey.signCount,
  transports: [...passkey.transports],
  aaguid: passkey.aaguid,
  backup_eligible: passkey.backupEligible,
  backed_up: passkey.backedUp,
  name: passkey.name,
  created_at: new Date(passkey.createdAt),
});

/** Passkeys in tables `passkey`, `passkey_user` and `passkey_challenge`. */
export const createSqlPasskeyStore = (database: Database): PasskeyStore => ({
  ceremonies: createSqlCeremonyStore(database),
  transaction: (work) => database.transaction(work),

  add: (passkey, most) =>
    database.transaction(async () => {
      // Whoever adds to this account holds its row, so the count below is still true at the insert.
      const owner = { account_id: passkey.accountId };
      await database.sql('passkey_user').where(owner).forUpdate().first('account_id');
      const [row] = (await database.sql('passkey').where(owner).count('* as count')) as { count: string | number }[];
      if (Number(row?.count) >= most) return 'full';
      const added = (await database
        .sql('passkey')
        .insert(toRow(passkey))
        .onConflict('credential_id')
        .ignore()
        .returning('id')) as unknown[];
      return added.length === 1 ? 'added' : 'taken';
    }),

  async find(credentialId) {
    const row = (await database
      .sql('passkey')
      .join('passkey_user', 'passkey_user.account_id', 'passkey.account_id')
      .where({ credential_id: credentialId })
      .first('passkey.*', 'passkey_user.handle')) as (Row & { handle: string }) | undefined;
    return row && { passkey: fromRow(row), handle: row.handle };
  },

  async list(accountId) {
    const rows = await database.sql('passkey').where({ account_id: accountId }).orderBy(['created_at', 'id']);
    return (rows as Row[]).map(fromRow);
  },

  async count(accountId) {
    const [row] = await database.sql('passkey').where({ account_id: accountId }).count('* as count');
    return Number(row?.count);
  },

  async use(id, { signCount, backedUp, at }) {
    const result = (await database.sql.raw(
      `update passkey
       set sign_count = greatest(sign_count, :signCount::bigint), backed_up = :backedUp, last_used_at = :at
       where id = :id
         and (backup_eligible or sign_count < :signCount::bigint or (sign_count = 0 and :signCount::bigint = 0))
       returning id`,
      { id, signCount, backedUp, at: new Date(at) },
    )) as { rows: unknown[] };
    return result.rows.length === 1;
  },

  async rename(accountId, id, name) {
    const [row] = (await database
      .sql('passkey')
      .where({ account_id: accountId, id })
      .update({ name })
      .returning('*')) as Row[];
    return row && fromRow(row);
  },

  async remove(accountId, id) {
    const which = { account_id: accountId, ...(id !== undefined && { id }) };
    const rows = (await database.sql('passkey').where(which).delete().returning('*')) as Row[];
    return rows.map(fromRow);
  },
});
