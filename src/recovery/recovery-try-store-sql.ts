import type { Database } from '../storage/database.ts';
import type { RecoveryTryStore } from './recovery-try-store.ts';

/** Tries in table `recovery_try`. */
export const createSqlRecoveryTryStore = (database: Database): RecoveryTryStore => ({
  async take({ id, accountId, expiresAt }, most) {
    const { rows } = await database.sql.raw<{ rows: { tries: number }[] }>(
      `insert into recovery_try as old (link_id, account_id, tries, expires_at) values (?, ?, 1, ?)
       on conflict (link_id) do update set tries = old.tries + 1 where old.tries < ?
       returning tries`,
      [id, accountId, new Date(expiresAt), most],
    );
    return rows[0] && most - rows[0].tries;
  },

  async giveBack(linkId) {
    await database.sql('recovery_try').where({ link_id: linkId }).where('tries', '>', 0).decrement('tries', 1);
  },

  purge(now, limit) {
    const over = database.sql('recovery_try').where('expires_at', '<=', new Date(now)).limit(limit).select('link_id');
    return database.sql('recovery_try').whereIn('link_id', over).delete();
  },
});
