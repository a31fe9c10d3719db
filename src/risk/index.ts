// Risk: signs that somebody else may be at work, what the installation does about each, and how far a session is trusted.
// Pure rules; what they need to know is asked through a port. Owns table `risk_finding`; reads sessions and audit rows.
// Needs: audit, devices, locations.
export { type ActivityFacts, activitySignals } from './activity-signals.ts';
export { createRisk, type RatedSession, type Risk, type RiskStanding, type SignInVerdict } from './risk.ts';
export type { RiskFacts, RiskFinding } from './risk-facts.ts';
export {
  defaultRiskPolicy,
  type RiskAction,
  type RiskPolicy,
  type RiskSignal,
  riskActions,
  riskSignals,
  strongest,
} from './risk-policy.ts';
export { type SignInFacts, signInSignals } from './sign-in-signals.ts';
export { type TrustFacts, trustScore } from './trust-score.ts';
