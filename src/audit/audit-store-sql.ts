import type { Database } from '../storage/database.ts';
import { unanswered } from '../storage/statement.ts';
import type { AuditRow, AuditStore } from './audit-log.ts';

/** A row of table `audit_event`. */
export interface AuditTableRow {
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
  session_id: string | null;
  details: NonNullable<AuditRow['details']> | null;
}

export const fromRow = (row: AuditTableRow): AuditRow => ({
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
  ...(row.session_id !== null && { sessionId: row.session_id }),
  ...(row.details && { details: row.details }),
});

const add = unanswered(`insert into audit_event
  (id, at, type, outcome, actor_kind, actor_id, subject, client_id, ip, user_agent, request_id, session_id, details)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`);

/** The audit log in table `audit_event`. */
export const createSqlAuditStore = (database: Database): AuditStore => ({
  async append(row) {
    await database.query(add, [
      row.id,
      new Date(row.at),
      row.type,
      row.outcome,
      row.actor.kind,
      'id' in row.actor ? row.actor.id : null,
      row.subject ?? null,
      row.clientId ?? null,
      row.ip ?? null,
      row.userAgent?.slice(0, 300) ?? null,
      row.requestId ?? null,
      row.sessionId ?? null,
      row.details ? JSON.stringify(row.details) : null,
    ]);
  },

  async list({ subject, type, limit }) {
    const query = database.sql<AuditTableRow>('audit_event').orderBy('at', 'desc').limit(limit);
    if (subject !== undefined) query.where({ subject });
    if (type !== undefined) query.where({ type: type as AuditTableRow['type'] });
    return (await query).map(fromRow);
  },
});
