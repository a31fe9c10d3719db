import type { Database } from '../storage/database.ts';
import type { SealedTotps, TotpStore } from './totp-store.ts';

/** TOTP secrets in tables `totp` and `totp_pending`. */
export const createSqlTotpStore = (database: Database): TotpStore => ({
  async find(accountId) {
    const row = await database.sql('totp').where({ account_id: accountId }).first('secret');
    return row?.secret as string | undefined;
  },

  async useStep(accountId, sealed, step, resealed) {
    const changed = await database
      .sql('totp')
      .where({ account_id: accountId, secret: sealed })
      .where('last_step', '<', step)
      .update({ last_step: step, secret: resealed });
    return changed === 1;
  },

  async openPending({ accountId, binding, sealed, expiresAt }, now) {
    const put = (await database
      .sql('totp_pending')
      .insert({ account_id: accountId, binding, secret: sealed, expires_at: new Date(expiresAt) })
      .onConflict(['account_id', 'binding'])
      .merge(['secret', 'expires_at'])
      .where('totp_pending.expires_at', '<=', new Date(now))
      .returning('secret')) as { secret: string }[];
    return put[0]?.secret ?? (await this.findPending(accountId, binding, now)) ?? sealed;
  },

  async findPending(accountId, binding, now) {
    const row = await database
      .sql('totp_pending')
      .where({ account_id: accountId, binding })
      .where('expires_at', '>', new Date(now))
      .first('secret');
    return row?.secret as string | undefined;
  },

  async activate({ accountId, binding, sealed: pending }, { sealed, step, at, onlyFirst }) {
    const result = (await database.sql.raw(
      `with ended as (
         delete from totp_pending
         where account_id = :accountId and binding = :binding and secret = :pending and expires_at > :at
         returning account_id
       )
       insert into totp (account_id, secret, last_step, enrolled_at)
       select account_id, :sealed, :step::bigint, :at::timestamptz from ended
       on conflict (account_id) do update
         set secret = excluded.secret, last_step = excluded.last_step, enrolled_at = excluded.enrolled_at
         where not :onlyFirst
       returning account_id`,
      { accountId, binding, pending, sealed, step, at: new Date(at), onlyFirst },
    )) as { rows: unknown[] };
    return result.rows.length === 1;
  },

  async remove(accountId) {
    await database.sql('totp_pending').where({ account_id: accountId }).delete();
    return (await database.sql('totp').where({ account_id: accountId }).delete()) === 1;
  },

  purgePending: (now) => database.sql('totp_pending').where('expires_at', '<=', new Date(now)).delete(),
});

/** The sealed secrets of table `totp`. */
export const createSqlSealedTotps = (database: Database): SealedTotps => ({
  async stale(secretId, after, limit) {
    const { rows } = await database.sql.raw<{ rows: { accountId: string; sealed: string }[] }>(
      `select account_id as "accountId", secret as sealed from totp
       where account_id > :after and split_part(secret, '.', 2) <> :secretId order by account_id limit :limit`,
      { after, secretId, limit },
    );
    return rows;
  },

  async replace(accountId, from, to) {
    return (await database.sql('totp').where({ account_id: accountId, secret: from }).update({ secret: to })) === 1;
  },
});
