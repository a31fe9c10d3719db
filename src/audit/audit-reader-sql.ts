import type { Database } from '../storage/database.ts';
import type { AuditReader } from './audit-reader.ts';
import { type AuditTableRow, fromRow } from './audit-store-sql.ts';

// Walks the index (subject, at desc); only rows of one moment are sorted by their id.
const text = `
  select * from audit_event
  where subject = :subject and type = any (cast(:types as text[]))
    and at <= coalesce(cast(:at as timestamptz), 'infinity')
    and (cast(:at as timestamptz) is null or at < cast(:at as timestamptz) or id < cast(:id as text))
  order by at desc, id desc
  limit :limit`;

/** Reads table `audit_event`. */
export const createSqlAuditReader = (database: Database): AuditReader => ({
  async listOf(subject, { types, before, limit }) {
    const { rows } = await database.sql.raw<{ rows: AuditTableRow[] }>(text, {
      subject,
      types: [...types] as unknown as string,
      at: (before ? new Date(before.at) : null) as unknown as string,
      id: before?.id ?? '',
      limit,
    });
    return rows.map(fromRow);
  },
});
