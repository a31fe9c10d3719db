import type { Knex } from 'knex';
import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { Link, LinkData, LinkPurpose } from './link.ts';
import type { LinkStore } from './link-store.ts';

interface Row {
  id: string;
  purpose: LinkPurpose;
  account_id: string | null;
  email: string;
  data: LinkData;
  created_at: Date;
  expires_at: Date;
}

const columns = ['id', 'purpose', 'account_id', 'email', 'data', 'created_at', 'expires_at'];

const fromRow = (row: Row): Link => ({
  id: row.id,
  purpose: row.purpose,
  email: row.email,
  data: row.data,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  ...(row.account_id !== null && { accountId: asAccountId(row.account_id) }),
});

// Makes room in the slot for a link to the same address.
const makeRoom = 'update one_time_link set slot = null where slot = :slot and email = :kept';

// A link that replaces others takes their one slot over, so that of two made at once only one is left.
const put = `
  with gone as (
    delete from one_time_link
    where :slot::text is not null and account_id = :accountId and purpose = :purpose and slot is null
      and (:kept::text is null or email <> :kept)
  )
  insert into one_time_link (id, token_hash, purpose, account_id, email, data, slot, created_at, expires_at)
  values (:id, :tokenHash, :purpose, :accountId, :email, :data, :slot, :createdAt, :expiresAt)
  on conflict (slot) do update set
    id = excluded.id, token_hash = excluded.token_hash, email = excluded.email, data = excluded.data,
    created_at = excluded.created_at, expires_at = excluded.expires_at`;

// Whoever uses a link goes on to change its account and to end its other links, and whoever changes the account ends its
// links, too. With the account first they wait for each other in one order only.
const holdItsAccount = `
  select account.id from account join one_time_link as link on link.account_id = account.id
  where link.token_hash = :tokenHash and link.purpose = :purpose for no key update of account`;

/** Links in table `one_time_link`. A use deletes the row: nothing is left that could be used again. */
export function createSqlLinkStore(database: Database): LinkStore {
  const living = (purpose: LinkPurpose, tokenHash: string, now: number): Knex.QueryBuilder =>
    database.sql('one_time_link').where({ token_hash: tokenHash, purpose }).where('expires_at', '>', new Date(now));

  return {
    async put({ replaces, keepsAddress, accountId, createdAt, expiresAt, data, ...link }) {
      await database.join();
      const slot = replaces ? `${link.purpose} ${accountId}` : null;
      const kept = keepsAddress ? link.email : null;
      if (slot !== null && kept !== null) await database.sql.raw(makeRoom, { slot, kept });
      await database.sql.raw(put, {
        ...link,
        accountId: accountId ?? null,
        slot,
        kept,
        data: JSON.stringify(data),
        createdAt: new Date(createdAt),
        expiresAt: new Date(expiresAt),
      });
    },

    async find(purpose, tokenHash, now) {
      const row = (await living(purpose, tokenHash, now).first(columns)) as Row | undefined;
      return row && fromRow(row);
    },

    async take(purpose, tokenHash, now) {
      await database.join();
      await database.sql.raw(holdItsAccount, { tokenHash, purpose });
      const [row] = (await living(purpose, tokenHash, now).delete().returning(columns)) as Row[];
      return row && fromRow(row);
    },

    async remove(id) {
      const removed: number = await database.sql('one_time_link').where({ id }).delete();
      return removed === 1;
    },

    removeOf(accountId, purposes) {
      const query = database.sql('one_time_link').where({ account_id: accountId });
      if (purposes) query.whereIn('purpose', [...purposes]);
      return query.delete();
    },

    purge(now, limit) {
      const over = database.sql('one_time_link').where('expires_at', '<=', new Date(now)).limit(limit).select('id');
      return database.sql('one_time_link').whereIn('id', over).delete();
    },
  };
}
