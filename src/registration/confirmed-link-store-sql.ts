import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { ConfirmedLinkStore } from './confirmed-link-store.ts';

interface Row {
  account_id: string;
  email_key: string;
}

/** Confirmed links in table `confirmed_link`. */
export const createSqlConfirmedLinkStore = (database: Database): ConfirmedLinkStore => ({
  async add({ tokenHash, accountId, emailKey, expiresAt }) {
    await database.sql('confirmed_link').insert({
      token_hash: tokenHash,
      account_id: accountId,
      email_key: emailKey,
      expires_at: new Date(expiresAt),
    });
  },

  async find(tokenHash, now) {
    const row = (await database
      .sql('confirmed_link')
      .where({ token_hash: tokenHash })
      .where('expires_at', '>', new Date(now))
      .first('account_id', 'email_key')) as Row | undefined;
    return row && { accountId: asAccountId(row.account_id), emailKey: row.email_key };
  },

  purge(now, limit) {
    const over = database.sql('confirmed_link').where('expires_at', '<=', new Date(now)).limit(limit);
    return database.sql('confirmed_link').whereIn('token_hash', over.select('token_hash')).delete();
  },
});
