import type { Database } from '../storage/database.ts';
import { statement } from '../storage/statement.ts';
import type { AccountFactsStore } from './account-facts.ts';

interface Row {
  passkeys: number;
  must_change: boolean;
  offered_at: Date | null;
}

const find = statement(`
  select
    (select count(*)::integer from passkey where account_id = $1) as passkeys,
    coalesce((select must_change from password where account_id = $1), false) as must_change,
    (select offered_at from passkey_offer where account_id = $1) as offered_at`);

const noteOffer = statement(`
  insert into passkey_offer (account_id, offered_at) values ($1, $2)
  on conflict (account_id) do update set offered_at = excluded.offered_at`);

/** Reads `passkey` and `password` of other domains; its own is `passkey_offer`. */
export const createSqlAccountFacts = (database: Database): AccountFactsStore => ({
  async find(accountId) {
    const [row] = await database.query<Row>(find, [accountId ?? '']);
    return {
      passkeys: row?.passkeys ?? 0,
      mustChangePassword: row?.must_change ?? false,
      ...(row?.offered_at && { passkeyOfferedAt: row.offered_at.getTime() }),
    };
  },

  async noteOffer(accountId, now) {
    await database.query(noteOffer, [accountId, new Date(now)]);
  },
});
