import type { Database } from '../storage/database.ts';
import type { CodeKey, CodeStore } from './code-store.ts';

// The times of the newest codes, oldest first: full is who made `max` within the window.
const reserve = `
  insert into one_time_code_quota as q (account_id, purpose, made_at, last_at)
  values (:accountId, :purpose, array[:now::bigint], :now)
  on conflict (account_id, purpose) do update set
    made_at = (q.made_at || :now::bigint)[greatest(1, cardinality(q.made_at) + 2 - :max::integer):],
    last_at = :now
  where cardinality(q.made_at) < :max::integer
    or q.made_at[cardinality(q.made_at) + 1 - :max::integer] <= :since::bigint
  returning 1`;

const takeTry = `
  update one_time_code set tries = tries + 1
  where purpose = :purpose and binding = :binding and account_id = :accountId
    and expires_at > :now and tries < :limit
  returning code_mac`;

/** Codes in table `one_time_code`, and how many were made in `one_time_code_quota`. */
export function createSqlCodeStore(database: Database): CodeStore {
  const at = ({ purpose, binding, accountId }: CodeKey) =>
    database.sql('one_time_code').where({ purpose, binding, account_id: accountId });

  return {
    transaction: (work) => database.transaction(work),

    async reserve({ purpose, accountId }, { max, windowSeconds }, now) {
      const since = now - windowSeconds * 1000;
      const bindings = { accountId, purpose, max, now, since };
      const { rows } = (await database.sql.raw(reserve, bindings)) as { rows: unknown[] };
      if (rows.length > 0) return undefined;
      const row = await database.sql('one_time_code_quota').where({ account_id: accountId, purpose }).first('made_at');
      const oldest = (row?.made_at as readonly (string | number)[] | undefined)?.at(-max);
      return Number(oldest ?? since) + windowSeconds * 1000;
    },

    async put({ codeMac, now: _now, expiresAt, purpose, binding, accountId }) {
      await database
        .sql('one_time_code')
        .insert({
          purpose,
          binding,
          account_id: accountId,
          code_mac: codeMac,
          tries: 0,
          expires_at: new Date(expiresAt),
        })
        .onConflict(['purpose', 'binding', 'account_id'])
        .merge();
    },

    async takeTry(key, limit, now) {
      const { purpose, binding, accountId } = key;
      const bindings = { purpose, binding, accountId, limit, now: new Date(now) };
      const { rows } = (await database.sql.raw(takeTry, bindings)) as { rows: { code_mac: string }[] };
      if (rows[0]) return { codeMac: rows[0].code_mac };
      const left = await at(key).where('expires_at', '>', new Date(now)).first('tries');
      return left ? 'spent' : 'none';
    },

    async take(key, codeMac) {
      const removed: number = await at(key).where({ code_mac: codeMac }).delete();
      return removed === 1;
    },

    removeOf: (accountId) => database.sql('one_time_code').where({ account_id: accountId }).delete(),

    async purge(now, countedBefore, limit) {
      const old = (table: string, column: string, before: Date | number) => {
        const rows = database.sql(table).where(column, '<=', before).limit(limit).select('ctid');
        return database.sql(table).whereIn('ctid', rows).where(column, '<=', before).delete();
      };
      const codes: number = await old('one_time_code', 'expires_at', new Date(now));
      return codes + (await old('one_time_code_quota', 'last_at', countedBefore));
    },
  };
}
