import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { CeremonyStore, Purpose } from './ceremony-store.ts';

interface Row {
  hash: string;
  purpose: Purpose;
  binding: string;
  account_id: string | null;
  automatic: boolean;
  expires_at: Date;
}

const challengesPerBinding = 10;

/** User handles and open challenges in tables `passkey_user` and `passkey_challenge`. */
export const createSqlCeremonyStore = (database: Database): CeremonyStore => ({
  async handle(accountId, fresh) {
    if (fresh !== undefined) {
      await database
        .sql('passkey_user')
        .insert({ account_id: accountId, handle: fresh })
        .onConflict('account_id')
        .ignore();
    }
    const row = await database.sql('passkey_user').where({ account_id: accountId }).first('handle');
    return row?.handle as string | undefined;
  },

  async open({ hash, purpose, binding, accountId, automatic, expiresAt }) {
    await database.sql.raw(
      `with older as (
         delete from passkey_challenge where hash in (
           select hash from passkey_challenge where binding = :binding and purpose = :purpose
           order by expires_at desc offset :others
         )
       )
       insert into passkey_challenge (hash, purpose, binding, account_id, automatic, expires_at)
       values (:hash, :purpose, :binding, :accountId, :automatic, :expiresAt)`,
      {
        hash,
        purpose,
        binding,
        accountId: accountId ?? null,
        automatic,
        expiresAt: new Date(expiresAt),
        others: challengesPerBinding - 1,
      },
    );
  },

  async take({ hash, purpose, binding }, now) {
    const rows = (await database
      .sql('passkey_challenge')
      .where({ hash, purpose, binding })
      .where('expires_at', '>', new Date(now))
      .delete()
      .returning('*')) as Row[];
    const [row] = rows;
    return (
      row && {
        hash,
        purpose,
        binding,
        automatic: row.automatic,
        expiresAt: row.expires_at.getTime(),
        ...(row.account_id !== null && { accountId: asAccountId(row.account_id) }),
      }
    );
  },

  purge: (now) => database.sql('passkey_challenge').where('expires_at', '<=', new Date(now)).delete(),
});
