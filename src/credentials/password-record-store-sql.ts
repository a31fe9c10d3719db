import type { AccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { PasswordFacts, PasswordRecordStore } from './password-record-store.ts';

interface Row {
  readonly changed_at: Date;
  readonly must_change: boolean;
  readonly short_alone: boolean;
}

const toFacts = (row: Row): PasswordFacts => ({
  changedAt: row.changed_at.getTime(),
  mustChange: row.must_change,
  shortAlone: row.short_alone,
});

/** Marks in table `password`, earlier hashes in `password_history`. */
export const createSqlPasswordRecordStore = (database: Database): PasswordRecordStore => ({
  transaction: (work) => database.transaction(work),

  async put(accountId, { hash, setAt, keep, mustChange, shortAlone }) {
    // The row was put by this transaction, so it is locked and others wait: `seq` follows the order of the changes.
    await database
      .sql('password')
      .where({ account_id: accountId })
      .update({ must_change: mustChange, short_alone: shortAlone });
    await database.sql('password_history').insert({ account_id: accountId, hash, set_at: new Date(setAt) });
    await database.sql.raw(
      `delete from password_history where account_id = :accountId and seq not in (
         select seq from password_history where account_id = :accountId order by seq desc limit :keep)`,
      { accountId, keep },
    );
  },

  async replaceHash(accountId, old, hash) {
    await database.sql('password_history').where({ account_id: accountId, hash: old }).update({ hash });
  },

  async recentHashes(accountId, limit) {
    const { rows } = (await database.sql.raw(
      `select hash from password where account_id = :accountId
       union (select hash from password_history where account_id = :accountId order by seq desc limit :limit)`,
      { accountId, limit },
    )) as { rows: { hash: string }[] };
    return rows.map(({ hash }) => hash);
  },

  async find(accountId: AccountId) {
    const row = (await database
      .sql('password')
      .where({ account_id: accountId })
      .first('changed_at', 'must_change', 'short_alone')) as Row | undefined;
    return row && toFacts(row);
  },

  async requireChange(accountId) {
    return (await database.sql('password').where({ account_id: accountId }).update({ must_change: true })) === 1;
  },
});
