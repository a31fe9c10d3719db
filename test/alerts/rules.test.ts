import { expect } from 'chai';
import { type AlertPolicy, type AlertState, nextAlert, noAlert } from '../../src/alerts/alert.ts';
import type { Facts } from '../../src/alerts/facts.ts';
import { judge, type RuleName, ruleNames, type Thresholds } from '../../src/alerts/rule.ts';
import { keysLateSeconds } from '../../src/app/alerts.ts';

const quietFacts: Facts = {
  failedSignIns: 0,
  lockouts: 0,
  tokenReuses: 0,
  disabledWebhooks: 0,
  mail: { waiting: 3, oldestSeconds: 20 },
  webhooks: { waiting: 3, oldestSeconds: 20 },
  keysLateSeconds: 0,
  breakerOpen: false,
  auditSealSeconds: 4,
};
const thresholds: Thresholds = { failedSignIns: 200, lockouts: 20, tokenReuses: 3, stuck: 900 };
const firing = (facts: Partial<Facts>, given: Partial<Thresholds> = {}): RuleName[] =>
  ruleNames.filter((name) => judge(name, { ...quietFacts, ...facts }, { ...thresholds, ...given }).firing);

describe('alert rules', () => {
  it('are quiet while all is well', () => {
    expect(firing({})).to.deep.equal([]);
  });

  const cases: readonly [RuleName, Partial<Facts>, Partial<Facts>][] = [
    ['failed_sign_ins', { failedSignIns: 199 }, { failedSignIns: 200 }],
    ['lockouts', { lockouts: 19 }, { lockouts: 20 }],
    ['token_reuse', { tokenReuses: 2 }, { tokenReuses: 3 }],
    ['signing_keys', { keysLateSeconds: 899 }, { keysLateSeconds: 900 }],
    ['signing_keys', {}, { keysProblem: 'a key does not open' }],
    ['mail_stuck', { mail: { waiting: 1, oldestSeconds: 899 } }, { mail: { waiting: 1, oldestSeconds: 900 } }],
    [
      'webhooks_stuck',
      { webhooks: { waiting: 1, oldestSeconds: 899 } },
      { webhooks: { waiting: 1, oldestSeconds: 900 } },
    ],
    ['webhook_disabled', { disabledWebhooks: 0 }, { disabledWebhooks: 1 }],
    ['redis_away', { breakerOpen: false }, { breakerOpen: true }],
    ['audit_seal', { auditSealSeconds: 899 }, { auditSealSeconds: 900 }],
  ];
  for (const [rule, below, at] of cases) {
    it(`${rule} fires at ${JSON.stringify(at)} and not below`, () => {
      expect(firing(below)).to.deep.equal([]);
      expect(firing(at)).to.deep.equal([rule]);
      const { summary } = judge(rule, { ...quietFacts, ...at }, thresholds);
      expect(summary)
        .to.match(/^[A-Z0-9].*\.$/)
        .and.not.match(/undefined|NaN|!/);
    });
  }

  it('are off with a threshold of 0', () => {
    const all: Partial<Facts> = { failedSignIns: 9e9, lockouts: 9e9, tokenReuses: 9e9, keysLateSeconds: 9e9 };
    expect(firing(all, { failedSignIns: 0, lockouts: 0, tokenReuses: 0, stuck: 0 })).to.deep.equal([]);
  });

  it('find a signer whose successor is late, and a key that nobody published', () => {
    const policy = { rotation: 1000, publish: 100 };
    const key = (state: 'pending' | 'published' | 'signing' | 'retiring', at: number) =>
      ({ kid: 'k', alg: 'ES256', state, since: { [state]: at * 1000 } }) as const;
    const late = (now: number, ...keys: ReturnType<typeof key>[]): number => keysLateSeconds(keys, now * 1000, policy);
    expect(late(1000, key('signing', 0))).to.equal(0);
    expect(late(1060, key('signing', 0))).to.equal(60);
    expect(late(1060, key('retiring', 0), key('signing', 1000))).to.equal(0);
    expect(late(70, key('pending', 0), key('signing', 0))).to.equal(70);
    expect(late(5, key('published', 0))).to.equal(0);
    expect(keysLateSeconds([], 0, policy)).to.equal(0);
  });
});

describe('the life of an alert', () => {
  const policy: AlertPolicy = { throttle: 3600, remind: 86_400, quiet: 300 };

  /** Walks through `[seconds, fires]` and lists what was told, and when. */
  function told(steps: readonly (readonly [number, boolean])[]): string[] {
    let state: AlertState = noAlert;
    const messages: string[] = [];
    for (const [seconds, fires] of steps) {
      const next = nextAlert(state, { firing: fires }, seconds * 1000, policy);
      state = next.state;
      if (next.change) messages.push(`${seconds} ${next.change.kind} ${next.change.since / 1000}`);
    }
    return messages;
  }
  const every = (from: number, to: number, fires: boolean): [number, boolean][] =>
    Array.from({ length: Math.floor((to - from) / 30) + 1 }, (_, index) => [from + index * 30, fires]);

  it('is raised once and resolved once', () => {
    expect(told([...every(0, 600, true), ...every(630, 1200, false)])).to.deep.equal(['0 raised 0', '900 resolved 0']);
  });

  it('does not end for a moment of quiet', () => {
    expect(told([...every(0, 60, true), ...every(90, 300, false), ...every(330, 600, true)])).to.deep.equal([
      '0 raised 0',
    ]);
  });

  it('is raised at most once in an hour, and then if it still goes on', () => {
    const wave = (from: number, length: number): [number, boolean][] => [
      ...every(from, from + length, true),
      ...every(from + length + 30, from + length + 360, false),
    ];
    expect(told([...wave(0, 30), ...wave(900, 30), ...wave(1800, 30)])).to.deep.equal(['0 raised 0', '330 resolved 0']);
    expect(told([...wave(0, 30), ...wave(3000, 900)])).to.deep.equal([
      '0 raised 0',
      '330 resolved 0',
      '3600 raised 3000',
      '4200 resolved 3000',
    ]);
  });

  it('is told of again after a day', () => {
    const messages = told(every(0, 2 * 86_400 + 60, true));
    expect(messages).to.deep.equal(['0 raised 0', '86400 raised 0', '172800 raised 0']);
  });
});
