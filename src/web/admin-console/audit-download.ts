import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import { type AuditFilter, type AuditLog, type AuditReader, type ExportFormat, exportText } from '../../audit/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import type { ConsoleGuard } from '../console/console-guard.ts';
import { metaOf } from '../request-meta.ts';
import { auditPath, filterOfQuery, readAuditQuery } from './audit-query.ts';

interface Needs {
  readonly guard: ConsoleGuard;
  readonly accounts: Pick<Accounts, 'findByLogin'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly auditReader: Pick<AuditReader, 'search'>;
  readonly clock: Clock;
}

const types: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/jsonl; charset=utf-8',
};

const isFormat = (text: unknown): text is ExportFormat => text === 'csv' || text === 'jsonl';

/** Names of what was filtered by; the values may be about a person, and stay out of a row that nobody would erase. */
const namesIn = (filter: AuditFilter): string[] => Object.keys(filter).sort();

/** Puts the download of the audit log on the router: what the filter of the page finds, streamed as it is read. */
export function addAuditDownload(router: Router, { guard, accounts, audit, auditReader, clock }: Needs): void {
  router.get(
    'admin-audit-export',
    `${auditPath}/export`,
    guard({ home: auditPath, role: 'admin' }, async (ctx: Context, { account }) => {
      const { format = 'csv' } = ctx.query;
      if (!isFormat(format)) throw new AppError('invalid_input', 'An export is csv or jsonl.');
      const query = readAuditQuery(ctx.query);
      // Half a filter would hand out more than was asked for.
      if (query.problem !== undefined) throw new AppError('invalid_input', query.problem);
      const now = clock.now();
      const asked = await filterOfQuery(query, async (login) => (await accounts.findByLogin(login))?.id);
      ctx.type = types[format];
      ctx.attachment(`audit-${new Date(now).toISOString().slice(0, 10)}.${format}`);
      if (ctx.method === 'HEAD') {
        ctx.status = 200;
        return;
      }
      await audit.record({
        ...metaOf(ctx),
        type: 'audit.exported',
        actor: { kind: 'account', id: account.id },
        outcome: 'success',
        details: { format, filter: namesIn(asked) },
      });
      // What happens from now on is not in it, or a busy log would never end.
      const filter = { ...asked, to: Math.min(asked.to ?? now, now) };
      ctx.body = Readable.from(exportText(auditReader, filter, format));
      ctx.type = types[format];
    }),
  );
}
