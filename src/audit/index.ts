// Audit: what happened, to whom, by whom. Owns table `audit_event`. It decides nothing and needs nobody.
export { type AuditLog, type AuditRow, type AuditStore, createAuditLog } from './audit-log.ts';
export type { AuditPlace, AuditReader } from './audit-reader.ts';
export {
  type AuditCounts,
  type AuditQuestion,
  type AuditStatistics,
  countedAtMost,
  createAuditStatistics,
} from './audit-statistics.ts';
export type { Actor, AuditEvent, AuditType } from './event.ts';
