import { expect } from 'chai';
import type { AuditEvent } from '../../src/audit/index.ts';
import type { Location } from '../../src/locations/index.ts';
import {
  activitySignals,
  createRisk,
  defaultRiskPolicy,
  type RiskFinding,
  type RiskPolicy,
  signInSignals,
  strongest,
  trustScore,
} from '../../src/risk/index.ts';
import { asAccountId } from '../../src/shared/ids.ts';

const berlin: Location = { country: 'DE', latitude: 52.52, longitude: 13.405, accuracyKm: 20 };
const london: Location = { country: 'GB', latitude: 51.507, longitude: -0.128, accuracyKm: 20 };
const sydney: Location = { country: 'AU', latitude: -33.869, longitude: 151.209, accuracyKm: 50 };
const hour = 3_600_000;
const now = 1_800_000_000_000;

const calm = {
  now,
  deviceKnown: true,
  location: berlin,
  before: { at: now - hour, location: berlin },
  accountsAtAddress: 1,
  manyAccounts: 10,
  listed: false,
} as const;

describe('risk signals of a sign-in', () => {
  it('are none for somebody who comes as ever', () => {
    expect(signInSignals(calm)).to.deep.equal([]);
  });

  it('tell a new browser, but not at the first sign-in and not where nobody can tell', () => {
    expect(signInSignals({ ...calm, deviceKnown: false })).to.deep.equal(['new-device']);
    expect(signInSignals({ ...calm, deviceKnown: false, before: undefined })).to.deep.equal([]);
    expect(signInSignals({ ...calm, deviceKnown: undefined })).to.deep.equal([]);
  });

  it('tell a journey that no plane makes', () => {
    const from = (location: Location | undefined, hours: number) =>
      signInSignals({ ...calm, before: { at: now - hours * hour, location } });
    expect(from(sydney, 10)).to.deep.equal(['impossible-travel']);
    expect(from(sydney, 20)).to.deep.equal([]);
    expect(from(london, 0.5)).to.deep.equal(['impossible-travel']);
    expect(from(london, 1.1)).to.deep.equal([]);
    expect(from({ country: 'AU' }, 0.1)).to.deep.equal([]);
    expect(from(undefined, 0.1)).to.deep.equal([]);
  });

  it('give a database its doubt about where an address is', () => {
    const vague: Location = { ...london, accuracyKm: 800 };
    expect(signInSignals({ ...calm, before: { at: now - hour / 60, location: vague } })).to.deep.equal([]);
  });

  it('tell an address that tries many accounts, and one that is listed', () => {
    expect(signInSignals({ ...calm, accountsAtAddress: 9 })).to.deep.equal([]);
    expect(signInSignals({ ...calm, accountsAtAddress: 10, listed: true })).to.deep.equal([
      'many-accounts',
      'listed-address',
    ]);
  });
});

describe('risk signals of a session', () => {
  const moved = (before: string | undefined, after: string | undefined, location = berlin, listed = false) =>
    activitySignals({
      before: { at: now - hour, ip: before, location: berlin },
      now: { at: now, ip: after, location },
      listed,
    });

  it('are about another network, not another address in it', () => {
    expect(moved('192.0.2.1', '192.0.2.1')).to.deep.equal([]);
    expect(moved('192.0.2.1', '192.0.2.2')).to.deep.equal(['address-changed']);
    expect(moved('2001:db8:1:2:aaaa::1', '2001:db8:1:2:bbbb:1:2:3')).to.deep.equal([]);
    expect(moved('2001:db8:1:2::1', '2001:db8:1:3::1')).to.deep.equal(['address-changed']);
    expect(moved('2001:db8::1', '2001:db8:0:0:5::1')).to.deep.equal([]);
    expect(moved(undefined, '192.0.2.2')).to.deep.equal([]);
    expect(moved('192.0.2.1', undefined)).to.deep.equal([]);
  });

  it('tell a cookie that is at two places at once', () => {
    expect(moved('192.0.2.1', '198.51.100.1', sydney)).to.deep.equal(['address-changed', 'impossible-travel']);
    expect(moved('192.0.2.1', '198.51.100.1', berlin, true)).to.deep.equal(['address-changed', 'listed-address']);
  });
});

describe('risk policy', () => {
  it('does what the strongest signal asks for', () => {
    expect(strongest([], defaultRiskPolicy)).to.equal('off');
    expect(strongest(['address-changed'], defaultRiskPolicy)).to.equal('note');
    expect(strongest(['address-changed', 'listed-address'], defaultRiskPolicy)).to.equal('second-factor');
    expect(strongest(['new-device', 'many-accounts'], { ...defaultRiskPolicy, 'many-accounts': 'end' })).to.equal(
      'end',
    );
  });
});

describe('trust in a session', () => {
  const facts = { now, deviceSince: now - 60 * 86_400_000, amr: ['hwk', 'user'], signals: [] } as const;

  it('is full for an old browser with a passkey, and never leaves its range', () => {
    expect(trustScore(facts)).to.equal(100);
    expect(trustScore({ ...facts, deviceSince: undefined, amr: ['pwd'] })).to.equal(45);
    expect(trustScore({ ...facts, deviceSince: now + hour, amr: [] })).to.equal(45);
    expect(
      trustScore({
        ...facts,
        deviceSince: undefined,
        amr: [],
        signals: ['impossible-travel', 'token-reuse', 'listed-address'],
      }),
    ).to.equal(0);
  });

  it('falls with each signal once', () => {
    expect(trustScore({ ...facts, signals: ['address-changed', 'address-changed'] })).to.equal(95);
    expect(trustScore({ ...facts, signals: ['address-changed', 'listed-address'] })).to.equal(65);
  });

  it('grows with the age of the browser', () => {
    const scores = [0, 10, 20, 30, 40].map((days) => trustScore({ ...facts, deviceSince: now - days * 86_400_000 }));
    expect(scores).to.deep.equal([70, 80, 90, 100, 100]);
  });
});

describe('risk of a sign-in', () => {
  const accountId = asAccountId('acc_1');
  const assess = async (policy: Partial<RiskPolicy>, deviceKnown: boolean | undefined = true) => {
    const events: AuditEvent[] = [];
    const asked: string[] = [];
    const findings: RiskFinding[] = [];
    const risk = createRisk({
      facts: {
        lastSeen: async () => {
          asked.push('lastSeen');
          return { at: now - hour, ip: '192.0.2.1' };
        },
        accountsAt: async () => {
          asked.push('accountsAt');
          return 10;
        },
        note: async (finding) => void findings.push(finding),
        signalsOf: async () => new Map([['ses_1', ['address-changed']]]),
        purge: async () => 0,
      },
      devices: { listKnown: async () => [] },
      locations: { find: (ip) => (ip === '192.0.2.1' ? sydney : berlin) },
      listed: { size: 1, has: (ip) => ip === '192.0.2.9' },
      policy: { ...defaultRiskPolicy, ...policy },
      audit: { record: async (event) => void events.push(event) },
      clock: { now: () => now },
    });
    const verdict = await risk.assessSignIn({
      accountId,
      flowHash: 'flow',
      deviceKnown,
      meta: { ip: '192.0.2.9', requestId: 'req_1' },
    });
    return { verdict, events, asked, findings, risk };
  };

  it('is written down once, with what is done about it', async () => {
    const { verdict, events, findings } = await assess({});
    expect(findings).to.deep.equal([{ accountId, about: { flowHash: 'flow' }, signals: verdict.signals, at: now }]);
    expect(verdict).to.deep.equal({
      signals: ['impossible-travel', 'many-accounts', 'listed-address'],
      action: 'second-factor',
    });
    expect(events).to.have.lengthOf(1);
    expect(events[0]).to.deep.include({
      type: 'risk.detected',
      subject: accountId,
      ip: '192.0.2.9',
      requestId: 'req_1',
    });
    expect(events[0]?.details).to.deep.equal({ signals: verdict.signals, action: 'second-factor' });
  });

  it('says nothing of what is switched off, and does not look it up', async () => {
    const off = {
      'impossible-travel': 'off',
      'many-accounts': 'off',
      'listed-address': 'off',
      'new-device': 'off',
    } as const;
    const { verdict, events, asked } = await assess(off);
    expect([verdict, events, asked]).to.deep.equal([{ signals: [], action: 'off' }, [], []]);
  });

  it('tells how each session stands, and counts what was noticed', async () => {
    const { risk } = await assess({});
    const sessions = ['ses_1', 'ses_2'].map((id) => ({ id, amr: ['pwd'] }));
    expect(await risk.standingOf(accountId, sessions)).to.deep.equal([
      { signals: ['address-changed'], trust: 40 },
      { signals: [], trust: 45 },
    ]);
  });

  it('leaves a new browser to the notice about it', async () => {
    const { verdict, events } = await assess(
      { 'impossible-travel': 'off', 'many-accounts': 'off', 'listed-address': 'off' },
      false,
    );
    expect([verdict, events]).to.deep.equal([{ signals: ['new-device'], action: 'notify' }, []]);
  });
});
