import type { Database } from '../storage/database.ts';
import type { AuditRow, AuditStore } from './audit-log.ts';

interface Row {
  id: string;
  at: Date;
  type: AuditRow['type'];
  outcome: AuditRow['outcome'];
  actor_kind: string;
  actor_id: string | null;
  subject: string | null;
  client_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: NonNullable<AuditRow['details']> | null;
}

const fromRow = (row: Row): AuditRow => ({
  id: row.id,
  at: row.at.getTime(),
  type: row.type,
  outcome: row.outcome,
  actor: (row.actor_id === null
    ? { kind: row.actor_kind }
    : { kind: row.actor_kind, id: row.actor_id }) as AuditRow['actor'],
  ...(row.subject !== null && { subject: row.subject }),
  ...(row.client_id !== null && { clientId: row.client_id }),
  ...(row.ip !== null && { ip: row.ip }),
  ...(row.user_agent !== null && { userAgent: row.user_agent }),
  ...(row.request_id !== null && { requestId: row.request_id }),
  ...(row.details && { details: row.details }),
});

/** The audit log in table `audit_event`. */
export const createSqlAuditStore = (database: Database): AuditStore => ({
  async append(row) {
    await database.sql('audit_event').insert({
      id: row.id,
      at: new Date(row.at),
      type: row.type,
      outcome: row.outcome,
      actor_kind: row.actor.kind,
      actor_id: 'id' in row.actor ? row.actor.id : null,
      subject: row.subject ?? null,
      client_id: row.clientId ?? null,
      ip: row.ip ?? null,
      user_agent: row.userAgent?.slice(0, 300) ?? null,
      request_id: row.requestId ?? null,
      details: row.details ? JSON.stringify(row.details) : null,
    });
  },

  async list({ subject, type, limit }) {
    const query = database.sql<Row>('audit_event').orderBy('at', 'desc').limit(limit);
    if (subject !== undefined) query.where({ subject });
    if (type !== undefined) query.where({ type: type as Row['type'] });
    return (await query).map(fromRow);
  },
});
