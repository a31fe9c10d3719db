// Audit: what happened, to whom, by whom, chained so that nobody changes it unseen. Owns tables `audit_event`,
// `audit_seal` and `audit_chain`. It decides nothing and needs nobody. Requests only append; numbers and hashes are
// given afterwards, by one node at a time. docs/audit.md has the chain's format.
export { type AuditChain, type ChainStatus, createAuditChain } from './audit-chain.ts';
export { type AuditContext, currentAuditContext, noteAuditSession, withAuditContext } from './audit-context.ts';
export { type AuditFilter, auditGroups, isTypeAsked } from './audit-filter.ts';
export { type AuditLog, type AuditRow, type AuditStore, createAuditLog } from './audit-log.ts';
export type { AuditPage, AuditPlace, AuditReader } from './audit-reader.ts';
export {
  type AuditCounts,
  type AuditQuestion,
  type AuditStatistics,
  countedAtMost,
  createAuditStatistics,
} from './audit-statistics.ts';
export type { ChainHead } from './chain.ts';
export { type Actor, type AuditEvent, type AuditType, auditTypes } from './event.ts';
export { type ExportFormat, exportHead, exportLine, exportText } from './export-rows.ts';
export type { ChainCheck, ChainFault } from './verify-chain.ts';
