import { expect } from 'chai';
import type { Account } from '../../src/accounts/index.ts';
import type { AuditQuestion, AuditRow } from '../../src/audit/index.ts';
import type { Client } from '../../src/clients/index.ts';
import type { KeyView } from '../../src/keys/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { createOverviewReader, type OverviewSources } from '../../src/web/admin-console/overview.ts';

const day = 86_400_000;

function sourcesWith(extra: Partial<OverviewSources> = {}) {
  const clock = new FixedClock('2026-11-21T12:00:00Z');
  const asked: AuditQuestion[] = [];
  const sources: OverviewSources = {
    accounts: { count: async () => 0, find: async () => undefined },
    apis: { list: async () => [] },
    clients: { count: async () => 0, find: async () => undefined, list: async () => [] },
    keys: { list: async () => [] },
    audit: { list: async () => [] },
    statistics: {
      count: async (question) => {
        asked.push(question);
        return Array.from({ length: question.buckets }, () => 1);
      },
    },
    signIn: { countPaused: async () => 0 },
    clock,
    ...extra,
  };
  return { clock, asked, sources };
}

describe('what the overview reads', () => {
  it('counts days that are over once, and today each time', async () => {
    const { clock, asked, sources } = sourcesWith();
    const read = createOverviewReader(sources);
    const widths = async (): Promise<number[]> => {
      asked.length = 0;
      const { chart } = await read();
      expect(chart.days).to.have.length(7);
      return asked.filter(({ since }) => since % day === 0).map(({ buckets }) => buckets);
    };
    expect(await widths()).to.deep.equal([6, 6, 1, 1]);
    expect(await widths()).to.deep.equal([1, 1]);
    clock.advance(12 * 3600 + 30);
    expect(await widths(), 'a new day').to.deep.equal([6, 6, 1, 1]);
    expect(await widths(), 'whose eve is not settled yet').to.deep.equal([6, 6, 1, 1]);
    clock.advance(60);
    expect(await widths()).to.deep.equal([6, 6, 1, 1]);
    expect(await widths()).to.deep.equal([1, 1]);
  });

  it('looks each name up once and falls back to short ids', async () => {
    const looked: string[] = [];
    const row = (id: string, extra: Partial<AuditRow>): AuditRow => ({
      id,
      at: 0,
      type: 'sign_in.failed',
      actor: { kind: 'stranger' },
      outcome: 'failure',
      ...extra,
    });
    const { sources } = sourcesWith({
      audit: {
        list: async () => [
          row('1', { subject: 'acc_known', ip: '203.0.113.7' }),
          row('2', {
            subject: 'acc_known',
            type: 'sign_in.succeeded',
            outcome: 'success',
            actor: { kind: 'account', id: 'acc_known' },
          }),
          row('3', { subject: 'acc_unknown_and_long_enough', actor: { kind: 'operator' } }),
          row('4', { clientId: 'app_1', type: 'token.issued', actor: { kind: 'client', id: 'app_1' } }),
          row('5', { type: 'key.published', actor: { kind: 'system' } }),
        ],
      },
      accounts: {
        count: async () => 0,
        find: async (id) => {
          looked.push(id);
          return id === 'acc_known' ? ({ email: 'mara@x.example', profile: { name: 'Mara' } } as Account) : undefined;
        },
      },
      clients: { count: async () => 0, list: async () => [], find: async () => ({ name: 'Tidewater' }) as Client },
    });
    const { events } = await createOverviewReader(sources)();
    expect(events.map(({ text, about, by, from, failed }) => [text, about, by, from, failed])).to.deep.equal([
      ['Sign-in failed', 'Mara', 'Somebody unknown', '203.0.113.7', true],
      ['Signed in', 'Mara', 'Mara', 'this server', false],
      ['Sign-in failed', 'acc_unknown_and_…', 'Command line', 'this server', true],
      ['Tokens issued', 'Tidewater', 'Tidewater', 'this server', true],
      ['Signing key published', 'none', 'The server', 'this server', true],
    ]);
    expect(looked).to.deep.equal(['acc_known', 'acc_unknown_and_long_enough']);
  });

  it('shows numbers as bounds where counting stopped, signing keys first, and ten apps', async () => {
    const key = (kid: string, state: KeyView['state'], nextStep?: KeyView['nextStep']): KeyView => ({
      kid,
      alg: 'ES256',
      state,
      since: { pending: 1, [state]: 2 },
      ...(nextStep && { nextStep }),
    });
    const client = { name: 'x', kind: 'web', firstParty: true, mayIntrospect: true, createdAt: 0 } as unknown as Client;
    const { sources } = sourcesWith({
      accounts: { count: async (atMost) => atMost, find: async () => undefined },
      keys: {
        list: async () => [
          key('old', 'retiring', { state: 'removed', at: 9 }),
          key('next', 'published', { state: 'signing', at: 9 }),
          key('now', 'signing', { state: 'retiring', at: 9 }),
        ],
      },
      clients: {
        count: async () => 11,
        find: async () => undefined,
        list: async () => Array.from({ length: 11 }, () => client),
      },
    });
    const { tiles, keys, clients, moreClients } = await createOverviewReader(sources)();
    expect(tiles.map(({ label, value, hint }) => [label, value, hint])).to.deep.equal([
      ['People', '100,000+', 'with an account'],
      ['Apps', '11', 'registered'],
      ['APIs', '0', 'registered'],
      ['Sign-ins', '1', 'in 24 hours'],
      ['Failed tries', '1', '50% of all tries'],
      ['Paused now', '0', 'after wrong tries'],
    ]);
    expect(keys.map(({ kid, state, next }) => [kid, state.label, next?.label])).to.deep.equal([
      ['now', 'Signing', 'Replaced'],
      ['next', 'Published', 'Signs from'],
      ['old', 'Verifies only', 'Leaves the JWKS'],
    ]);
    expect(clients).to.have.length(10);
    expect(clients[0]?.traits).to.deep.equal(['First party', 'Introspects all']);
    expect(moreClients).to.equal('The 10 newest are shown.');
  });
});
