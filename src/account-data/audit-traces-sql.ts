import type { Database } from '../storage/database.ts';
import type { PersonalTraces } from './personal-traces.ts';

const worth = '(ip is not null or user_agent is not null or details is not null)';
const batch = 1_000;

/**
 * Addresses, browsers and details in table `audit_event`: what happened and when stays, with the bare id, which names
 * nobody once the account is gone. Details go as a whole, because nobody can promise what the next kind of event puts
 * there. The salt of their digest in the chain goes too, so that it can't be tried out what they were; the chain still
 * holds. Two statements by account, because each has an index of its own.
 */
export function createAuditTraces(database: Database): PersonalTraces {
  const wheres = [
    `subject = any(:ids)`,
    `actor_id = any(:ids) and actor_kind = 'account' and subject is distinct from actor_id`,
  ];
  const eraseSome = (where: string, accountIds: readonly string[]): Promise<number> =>
    database.transaction(async () => {
      const { rows } = await database.sql.raw<{ rows: { id: string }[] }>(
        `update audit_event set ip = null, user_agent = null, details = null
         where id in (select id from audit_event where ${where} and ${worth} limit :batch) returning id`,
        { ids: [...accountIds], batch },
      );
      // A statement of its own: it sees what was sealed while the first one waited.
      await database
        .sql('audit_seal')
        .whereIn(
          'event_id',
          rows.map(({ id }) => id),
        )
        .update({ salt: null });
      return rows.length;
    });
  return {
    name: 'audit_event',
    async erase(accountIds) {
      for (const where of wheres) {
        while ((await eraseSome(where, accountIds)) === batch);
      }
    },
  };
}
