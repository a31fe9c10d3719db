import { randomBytes } from 'node:crypto';
import type { Context, Next } from 'koa';
import { createSqlAuditReader } from '../audit/audit-reader-sql.ts';
import { createSqlChainStore } from '../audit/chain-store-sql.ts';
import {
  type AuditChain,
  type AuditLog,
  type AuditReader,
  type ChainStatus,
  createAuditChain,
  withAuditContext,
} from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import type { Metrics } from '../web/metrics.ts';
import { metaOf } from '../web/request-meta.ts';

/** What reads the audit log, and what keeps it honest. */
export interface AuditParts {
  readonly auditReader: AuditReader;
  readonly auditChain: AuditChain;
}

/** Puts reader and chain of the audit log on the database. */
export function createAuditParts(
  config: Config,
  database: Database,
  clock: Clock,
  audit: Pick<AuditLog, 'record'>,
): AuditParts {
  return {
    auditReader: createSqlAuditReader(database),
    auditChain: createAuditChain({
      store: createSqlChainStore(database),
      audit,
      clock,
      newSalt: () => randomBytes(16).toString('hex'),
      policy: { days: config.SALLYPORT_AUDIT_DAYS },
    }),
  };
}

/** What the last look at the chain saw, for metrics, which do not wait. */
const seen = new WeakMap<AuditChain, ChainStatus>();

/** Gauges of the chain as this node saw it last; they tell when nobody seals. */
export function watchAudit(metrics: Pick<Metrics, 'watch'>, { auditChain }: AuditParts, clock: Clock): void {
  const age = (moment: number | undefined): number =>
    moment === undefined ? 0 : Math.max(0, (clock.now() - moment) / 1000);
  const status = (): ChainStatus | undefined => seen.get(auditChain);
  metrics.watch('audit_unsealed_rows', 'Audit events without a place in the chain.', () => status()?.waiting ?? 0);
  metrics.watch('audit_unsealed_seconds', 'Age of the oldest audit event without a place in the chain.', () =>
    age(status()?.waitingSince),
  );
  metrics.watch('audit_sealed_age_seconds', 'Time since an audit event was given its place in the chain.', () =>
    age(status()?.sealedAt),
  );
  metrics.watch('audit_chain_number', 'Number of the last audit event in the chain.', () => status()?.head.number ?? 0);
}

/** What runs beside the requests for the audit log. */
export function auditJobs(
  { auditChain }: AuditParts,
  logger: Logger,
): readonly { readonly name: string; readonly everySeconds: number; run(): Promise<number> }[] {
  let logged = 0;
  return [
    {
      name: 'seal-audit',
      everySeconds: 5,
      async run() {
        const sealed = await auditChain.seal();
        seen.set(auditChain, await auditChain.status());
        return sealed;
      },
    },
    { name: 'prune-audit', everySeconds: 3600, run: () => auditChain.prune() },
    {
      // Where logs are kept elsewhere, each head there pins what came before it.
      name: 'note-audit-head',
      everySeconds: 3600,
      async run() {
        const { head } = await auditChain.status();
        if (head.number > logged) logger.info({ number: head.number, hash: head.hash }, 'head of the audit chain');
        logged = head.number;
        return 0;
      },
    },
  ];
}

/** Lets audit events of a request have its address, browser and id where they do not say themselves. */
export const auditContext = (ctx: Context, next: Next): Promise<unknown> => withAuditContext(metaOf(ctx), next);
