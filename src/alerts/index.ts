// Alerts: what operators have to know about the installation as a whole, told once and not again and again. Owns table
// `alert_state`. Rules are pure and look at facts that app/ gathers; webhooks hear of alerts by the audit log, people by
// mail. Not here: what single people are told about their accounts (notifications). Needs: audit.
export type { AlertPolicy, AlertState } from './alert.ts';
export type { AlertStore } from './alert-store.ts';
export { type Alert, type Alerts, createAlerts } from './alerts.ts';
export { type Facts, type Operations, type OperationsReader, type QueueFacts, windowSeconds } from './facts.ts';
export { type RuleName, ruleNames, type Thresholds } from './rule.ts';
