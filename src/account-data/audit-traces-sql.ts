import type { Database } from '../storage/database.ts';
import type { PersonalTraces } from './personal-traces.ts';

const worth = '(ip is not null or user_agent is not null or details is not null)';
const batch = 1_000;

/**
 * Addresses, browsers and details in table `audit_event`: what happened and when stays, with the bare id, which names
 * nobody once the account is gone. Details go as a whole, because nobody can promise what the next kind of event puts
 * there. Two statements, because each has an index of its own.
 */
export function createAuditTraces(database: Database): PersonalTraces {
  const wheres = [
    `subject = any(:ids)`,
    `actor_id = any(:ids) and actor_kind = 'account' and subject is distinct from actor_id`,
  ];
  return {
    name: 'audit_event',
    async erase(accountIds) {
      for (const where of wheres) {
        for (;;) {
          const { rowCount } = await database.sql.raw<{ rowCount: number | null }>(
            `update audit_event set ip = null, user_agent = null, details = null
             where id in (select id from audit_event where ${where} and ${worth} limit :batch)`,
            { ids: [...accountIds], batch },
          );
          if ((rowCount ?? 0) < batch) break;
        }
      }
    },
  };
}
