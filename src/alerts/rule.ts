import { type Facts, windowSeconds } from './facts.ts';

/** From when on something is an alert; 0 turns its rules off. */
export interface Thresholds {
  readonly failedSignIns: number;
  readonly lockouts: number;
  readonly tokenReuses: number;
  /** Seconds. */
  readonly stuck: number;
}

/** What a rule found. */
export interface Verdict {
  readonly firing: boolean;
  readonly value: number;
  readonly threshold: number;
  /** One sentence that says what is wrong, with the number. */
  readonly summary: string;
}

type Rule = (facts: Facts, thresholds: Thresholds) => Verdict;

const minutes = windowSeconds / 60;

const counted =
  (value: (facts: Facts) => number, threshold: (all: Thresholds) => number, what: string): Rule =>
  (facts, thresholds) => {
    const [found, limit] = [value(facts), threshold(thresholds)];
    return {
      firing: limit > 0 && found >= limit,
      value: found,
      threshold: limit,
      summary: `${found} ${what} within ${minutes} minutes; the limit is ${limit}.`,
    };
  };

const late =
  (value: (facts: Facts) => number, what: string): Rule =>
  (facts, { stuck }) => {
    const seconds = Math.round(value(facts));
    return {
      firing: stuck > 0 && seconds >= stuck,
      value: seconds,
      threshold: stuck,
      summary: `${what} ${seconds} seconds late; the limit is ${stuck}.`,
    };
  };

const keys: Rule = (facts, thresholds) => {
  const overdue = late(({ keysLateSeconds }) => keysLateSeconds, 'A change of signing keys is')(facts, thresholds);
  if (facts.keysProblem === undefined) return overdue;
  return {
    ...overdue,
    firing: thresholds.stuck > 0,
    summary: 'A node cannot read or open its signing keys; its log says why.',
  };
};

/** Every rule by its name, which is what alerts are about. */
export const rules = {
  failed_sign_ins: counted(
    (facts) => facts.failedSignIns,
    (all) => all.failedSignIns,
    'sign-ins failed',
  ),
  lockouts: counted(
    (facts) => facts.lockouts,
    (all) => all.lockouts,
    'accounts were paused',
  ),
  token_reuse: counted(
    (facts) => facts.tokenReuses,
    (all) => all.tokenReuses,
    'tokens or codes were used twice',
  ),
  signing_keys: keys,
  mail_stuck: late(({ mail }) => mail.oldestSeconds, 'The oldest mail in the outbox is'),
  webhooks_stuck: late(({ webhooks }) => webhooks.oldestSeconds, 'The oldest webhook delivery is'),
  webhook_disabled: ({ disabledWebhooks: value }) => ({
    firing: value > 0,
    value,
    threshold: 1,
    summary: `${value} of the webhooks failed for days and ${value === 1 ? 'was' : 'were'} disabled.`,
  }),
  redis_away: ({ breakerOpen }) => ({
    firing: breakerOpen,
    value: breakerOpen ? 1 : 0,
    threshold: 1,
    summary: 'Redis does not answer, and the server stopped asking for the moment.',
  }),
  audit_seal: late(({ auditSealSeconds }) => auditSealSeconds, 'The seal of the audit log is'),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;
export const ruleNames = Object.keys(rules) as readonly RuleName[];

/** What each rule says of these facts. */
export const judge = (name: RuleName, facts: Facts, thresholds: Thresholds): Verdict => rules[name](facts, thresholds);
