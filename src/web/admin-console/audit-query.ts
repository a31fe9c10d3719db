import { isIP } from 'node:net';
import type { AuditFilter, AuditPlace } from '../../audit/index.ts';

/** The filter of the audit page as it stands in its address. */
export interface AuditQuery {
  readonly q: string;
  readonly type: string;
  readonly outcome: '' | 'success' | 'failure';
  readonly actor: string;
  readonly subject: string;
  /** Days, UTC, both included. */
  readonly from: string;
  readonly to: string;
  readonly after?: AuditPlace | undefined;
  /** Id of the event that is shown in full. */
  readonly record?: string | undefined;
  /** What could not be read, in words. */
  readonly problem?: string | undefined;
}

/** Where the audit page is. */
export const auditPath = '/admin/audit';
/** An event in full, above the newest of all. */
export const recordAddress = (id: string): string => `${auditPath}?record=${encodeURIComponent(id)}#record`;

const day = 86_400_000;
const longest = 200;

const one = (value: unknown): string =>
  (typeof value === 'string' ? value : '').trim().replaceAll('\0', '').slice(0, longest);

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** The place that a link of ours names. */
function placeOf(text: string): AuditPlace | undefined {
  const [, at, id] = /^(\d{1,14})-([a-z]{3}_[0-9a-z]{1,40})$/.exec(text) ?? [];
  return at !== undefined && id !== undefined ? { at: Number(at), id } : undefined;
}

/** Reads the query of an address; whatever makes no sense is left out, and said when a person may have typed it. */
export function readAuditQuery(query: Readonly<Record<string, unknown>>): AuditQuery {
  const { from, to, outcome } = { from: one(query.from), to: one(query.to), outcome: one(query.outcome) };
  const wrong = [from, to].find((text) => text !== '' && !isDay(text));
  return {
    q: one(query.q),
    type: one(query.type),
    outcome: outcome === 'success' || outcome === 'failure' ? outcome : '',
    actor: one(query.actor),
    subject: one(query.subject),
    from: isDay(from) ? from : '',
    to: isDay(to) ? to : '',
    after: placeOf(one(query.after)),
    record: /^evt_[0-9a-z]{1,40}$/.exec(one(query.record))?.[0],
    ...(wrong !== undefined && { problem: `“${wrong}” is not a date. Write dates as 2026-03-01.` }),
  };
}

/** The query as a part of an address, with changes; empty values are left out. */
export function auditAddress(
  query: AuditQuery,
  changes: { readonly after?: AuditPlace; readonly record?: string } = {},
): string {
  const { q, type, outcome, actor, subject, from, to } = query;
  const { after, record } = changes;
  const parts = { q, type, outcome, actor, subject, from, to, after: after && `${after.at}-${after.id}`, record };
  const given = Object.entries(parts).filter(
    (part): part is [string, string] => part[1] !== undefined && part[1] !== '',
  );
  return new URLSearchParams(given).toString();
}

/** What one field for everything means by the look of it; other words are looked for in the details. */
function wordFilter(q: string): AuditFilter {
  if (q === '') return {};
  if (isIP(q) > 0) return { ip: q };
  if (/^acc_\w+$/.test(q)) return { subject: q };
  if (/^app_\w+$/.test(q)) return { clientId: q };
  if (/^ses_\w+$/.test(q)) return { sessionId: q };
  if (/^req_\w+$/.test(q)) return { requestId: q };
  return { text: q };
}

/**
 * What the log is asked for.
 * @param accountIdOf finds the account that signs in with a name or address, so that people can be looked for by it
 */
export async function filterOfQuery(
  query: AuditQuery,
  accountIdOf: (login: string) => Promise<string | undefined>,
): Promise<AuditFilter> {
  const idOf = async (text: string): Promise<string> => (await accountIdOf(text)) ?? text;
  const { q, type, outcome, actor, subject, from, to } = query;
  const words = wordFilter(q);
  const named = words.text === undefined ? undefined : await accountIdOf(words.text);
  return {
    ...(named === undefined ? words : { subject: named }),
    ...(type !== '' && { type }),
    ...(outcome !== '' && { outcome }),
    ...(actor !== '' && { actor: await idOf(actor) }),
    ...(subject !== '' && { subject: await idOf(subject) }),
    ...(from !== '' && { from: Date.parse(from) }),
    ...(to !== '' && { to: Date.parse(to) + day }),
  };
}
