import { type Account, toClaims } from '../accounts/index.ts';
import type { Actor, AuditLog, AuditRow } from '../audit/index.ts';
import type { RequestMeta } from '../registration/index.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';

/** Where a part of an export comes from: everything that a domain knows of an account, without secrets. */
export type ExportSource = (accountId: AccountId) => Promise<unknown>;

/** The parts that an installation gives beside the account itself. */
export interface ExportSources {
  /** Kinds and times. */
  readonly factors: ExportSource;
  readonly passkeys: ExportSource;
  readonly apiKeys: ExportSource;
  readonly consents: ExportSource;
  readonly sessions: ExportSource;
  readonly devices: ExportSource;
}

/**
 * Everything that is known of a person, for them: format `sallyport-account-export`, version 1. Times are ISO 8601, UTC.
 * A later version may add parts; one that takes any away or changes it has another number.
 */
export interface AccountExport extends Readonly<Record<keyof ExportSources, unknown>> {
  readonly format: 'sallyport-account-export';
  readonly version: 1;
  readonly exportedAt: string;
  readonly account: Readonly<Record<string, unknown>>;
  /** Newest first. */
  readonly activity: readonly Readonly<Record<string, unknown>>[];
  /** Whether there was more activity than an export has. */
  readonly activityComplete: boolean;
}

interface Needs {
  readonly accounts: { find(id: AccountId): Promise<Account | undefined> };
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly sources: ExportSources;
}

const mostActivity = 10_000;
const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Moments are numbers inside and text outside: every number whose name ends in `At`, at any depth. */
function withDates(value: unknown, name = ''): unknown {
  if (typeof value === 'number' && /(?:At|^at)$/.test(name)) return iso(value);
  if (Array.isArray(value)) return value.map((item) => withDates(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withDates(item, key)]));
}

/** A row of the log as its person may have it: the address and browser of an operator or an app are theirs. */
function activityOf(
  { id: _id, requestId: _request, actor, subject: _subject, ip, userAgent, sessionId, ...row }: AuditRow,
  own: AccountId,
) {
  const self = actor.kind === 'account' && actor.id === own;
  const visible = self || actor.kind === 'stranger';
  return {
    ...row,
    at: iso(row.at),
    actor: self ? 'you' : actor.kind === 'account' ? 'operator' : actor.kind,
    ...(self && sessionId !== undefined && { sessionId }),
    ...(visible && ip !== undefined && { ip }),
    ...(visible && userAgent !== undefined && { userAgent }),
  };
}

/** Gathers everything that is known of an account. It is audited. @throws AppError `not_found`. */
export async function exportAccount(
  { accounts, audit, clock, sources }: Needs,
  accountId: AccountId,
  by: Actor,
  meta: RequestMeta,
): Promise<AccountExport> {
  const account = await accounts.find(accountId);
  if (!account) throw new AppError('not_found', 'There is no such account.');
  const { id, username, status, roles, createdAt, updatedAt } = account;
  await audit.record({ ...meta, type: 'account.exported', actor: by, outcome: 'success', subject: accountId });
  const rows = await audit.list({ subject: accountId, limit: mostActivity + 1 });
  const parts: Partial<Record<keyof ExportSources, unknown>> = {};
  // One after the other: an export is rare, and may not take the connections of the others.
  for (const [name, source] of Object.entries(sources) as [keyof ExportSources, ExportSource][]) {
    parts[name] = withDates(await source(accountId));
  }
  const { updated_at: _updated, sub: _sub, ...claims } = toClaims(account);
  return {
    format: 'sallyport-account-export',
    version: 1,
    exportedAt: iso(clock.now()),
    account: {
      id,
      ...(username !== undefined && { username }),
      status,
      roles,
      createdAt: iso(createdAt),
      updatedAt: iso(updatedAt),
      claims,
    },
    ...(parts as Record<keyof ExportSources, unknown>),
    activity: rows.slice(0, mostActivity).map((row) => activityOf(row, accountId)),
    activityComplete: rows.length <= mostActivity,
  };
}
