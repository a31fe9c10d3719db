import type { RiskSignal } from './risk-policy.ts';

/** What a session says for itself. Times are milliseconds since the epoch. */
export interface TrustFacts {
  readonly now: number;
  /** When the account first used this browser; undefined for an unknown one. */
  readonly deviceSince: number | undefined;
  /** `amr` of the sign-in (RFC 8176). */
  readonly amr: readonly string[];
  /** Everything that was noticed at the sign-in and since. */
  readonly signals: readonly RiskSignal[];
}

const month = 30 * 86_400_000;

/** Points that each signal costs, once. */
const cost: Readonly<Record<RiskSignal, number>> = {
  'new-device': 10,
  'address-changed': 5,
  'impossible-travel': 40,
  'token-reuse': 40,
  'many-accounts': 15,
  'listed-address': 30,
};

function proofPoints(amr: readonly string[]): number {
  if (amr.some((method) => method === 'hwk' || method === 'swk' || method === 'pop')) return 40;
  return amr.includes('mfa') || amr.includes('otp') ? 35 : 15;
}

/**
 * How far a session may be trusted to be its person's, 0 to 100, for people who look at lists of sessions; nothing is
 * decided by it. A browser earns up to 30 points within a month, the proof at the sign-in up to 40, and 30 are everybody's.
 */
export function trustScore({ now, deviceSince, amr, signals }: TrustFacts): number {
  const age = deviceSince === undefined ? 0 : Math.min(1, Math.max(0, now - deviceSince) / month);
  const lost = [...new Set(signals)].reduce((sum, signal) => sum + cost[signal], 0);
  return Math.max(0, Math.min(100, Math.round(30 + 30 * age + proofPoints(amr) - lost)));
}
