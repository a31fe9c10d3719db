/** What may be a sign of somebody else. */
export const riskSignals = [
  'new-device',
  'address-changed',
  'impossible-travel',
  'token-reuse',
  'many-accounts',
  'listed-address',
] as const;

export type RiskSignal = (typeof riskSignals)[number];

/**
 * What is done about a signal, the mildest first: nothing, a line in the audit log, a mail to the person, one more factor
 * than the browser would have had to show, or the end of the sign-in or session. Each includes those before it.
 */
export const riskActions = ['off', 'note', 'notify', 'second-factor', 'end'] as const;

export type RiskAction = (typeof riskActions)[number];

export type RiskPolicy = Readonly<Record<RiskSignal, RiskAction>>;

/** Nobody is kept out by default: addresses change and travel is real, but a mail about it costs little. */
export const defaultRiskPolicy: RiskPolicy = {
  'new-device': 'notify',
  'address-changed': 'note',
  'impossible-travel': 'second-factor',
  'token-reuse': 'notify',
  'many-accounts': 'note',
  'listed-address': 'second-factor',
};

/** The strongest action that one of these signals asks for. */
export const strongest = (signals: readonly RiskSignal[], policy: RiskPolicy): RiskAction =>
  riskActions[Math.max(0, ...signals.map((signal) => riskActions.indexOf(policy[signal])))] ?? 'off';
