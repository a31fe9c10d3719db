import type { AuditFilter } from './audit-filter.ts';
import type { AuditRow } from './audit-log.ts';
import type { AuditPlace, AuditReader } from './audit-reader.ts';

export type ExportFormat = 'jsonl' | 'csv';

const columns = [
  'at',
  'id',
  'type',
  'outcome',
  'actor_kind',
  'actor_id',
  'subject',
  'client_id',
  'session_id',
  'ip',
  'user_agent',
  'request_id',
  'details',
] as const;

const iso = (at: number): string => new Date(at).toISOString();

/**
 * A cell that no spreadsheet runs: one that begins like a formula gets an apostrophe in front (CWE-1236). Quoted where
 * RFC 4180 wants it.
 */
export function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  return /[",\r\n\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvLine(row: AuditRow): string {
  const { actor } = row;
  const cells = [
    iso(row.at),
    row.id,
    row.type,
    row.outcome,
    actor.kind,
    'id' in actor ? actor.id : '',
    row.subject ?? '',
    row.clientId ?? '',
    row.sessionId ?? '',
    row.ip ?? '',
    row.userAgent ?? '',
    row.requestId ?? '',
    row.details === undefined ? '' : JSON.stringify(row.details),
  ];
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** The first line of a file. */
export const exportHead = (format: ExportFormat): string => (format === 'csv' ? `${columns.join(',')}\r\n` : '');

/** An event as a line of a file, with its end. */
export const exportLine = (row: AuditRow, format: ExportFormat): string =>
  format === 'csv' ? csvLine(row) : `${JSON.stringify({ ...row, at: iso(row.at) })}\n`;

const pageSize = 500;

/** The events that fit, oldest first, as text in parts of a few hundred lines: however many there are, memory holds one. */
export async function* exportText(
  reader: Pick<AuditReader, 'search'>,
  filter: AuditFilter,
  format: ExportFormat,
): AsyncGenerator<string, void> {
  yield exportHead(format);
  let after: AuditPlace | undefined;
  do {
    const page = await reader.search(filter, { after, limit: pageSize, oldestFirst: true });
    if (page.rows.length > 0) yield page.rows.map((row) => exportLine(row, format)).join('');
    after = page.next;
  } while (after);
}
