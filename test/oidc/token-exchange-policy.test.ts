import { expect } from 'chai';
import {
  ancestor,
  isOfAccount,
  keyAncestor,
  lineageAfter,
  lineageIsLive,
  lineageSince,
} from '../../src/oidc/token-exchange-lineage.ts';
import { actorsOf, mayAct, mostActors, narrowScopes, nextAct } from '../../src/oidc/token-exchange-policy.ts';
import { readExchange } from '../../src/oidc/token-exchange-request.ts';

const actor = (clientId: string, sub = clientId) => ({ clientId, sub });
const errorOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { error: string }).error;
  }
  return 'none';
};

describe('token exchange', () => {
  describe('actors', () => {
    it('stand in a chain, the present one outermost', () => {
      const first = nextAct(undefined, actor('one'));
      expect(first).to.deep.equal({ sub: 'one' });
      const second = nextAct(first, actor('two', 'acc_2'));
      expect(second).to.deep.equal({ sub: 'acc_2', client_id: 'two', act: { sub: 'one' } });
    });

    it('are four at most', () => {
      let act: unknown;
      for (let at = 0; at < mostActors; at += 1) act = nextAct(act, actor(`app_${at}`));
      expect(actorsOf(act)).to.have.length(mostActors);
      expect(nextAct(act, actor('app_more'))).to.equal(undefined);
    });

    it('go in no circle, under whichever of their names', () => {
      const chain = nextAct(nextAct(undefined, actor('one')), actor('two', 'acc_2'));
      for (const again of [
        actor('one'),
        actor('two'),
        actor('two', 'acc_3'),
        actor('three', 'acc_2'),
        actor('three', 'one'),
      ]) {
        expect(nextAct(chain, again), JSON.stringify(again)).to.equal(undefined);
      }
      expect(nextAct(chain, actor('three'))).to.have.property('sub', 'three');
    });

    it('that make no sense are no chain', () => {
      const deep = { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd', act: { sub: 'e' } } } } };
      for (const act of [null, 'one', [], {}, { sub: 5 }, { sub: 'a', act: 'b' }, deep]) {
        expect(actorsOf(act), JSON.stringify(act)).to.equal(undefined);
        expect(nextAct(act, actor('one')), JSON.stringify(act)).to.equal(undefined);
      }
    });

    it('have to be those that may_act names', () => {
      const iss = 'https://id.example';
      const me = actor('app_1', 'acc_1');
      for (const claim of [undefined, { sub: 'acc_1' }, { sub: 'acc_1', iss }, { client_id: 'app_1' }]) {
        expect(mayAct(claim, me, iss), JSON.stringify(claim)).to.equal(true);
      }
      for (const claim of [
        null,
        {},
        [],
        'acc_1',
        { iss },
        { sub: 'acc_2' },
        { sub: 'acc_1', iss: 'https://other' },
        { client_id: 'app_2', sub: 'acc_1' },
      ]) {
        expect(mayAct(claim, me, iss), JSON.stringify(claim)).to.equal(false);
      }
    });
  });

  it('never widens scopes, and refuses what asks for more than there is', () => {
    const limits = { subject: ['a', 'b', 'x'], right: ['a', 'b', 'c'], api: ['a', 'b', 'c', 'x'] };
    expect(narrowScopes(undefined, limits)).to.deep.equal(['a', 'b']);
    expect(narrowScopes(['b', 'b'], limits)).to.deep.equal(['b']);
    for (const wanted of [['c'], ['x'], ['a', 'c'], ['openid'], ['a b'], []]) {
      expect(narrowScopes(wanted, limits), wanted.join()).to.equal(undefined);
    }
    expect(narrowScopes(undefined, { ...limits, subject: [] })).to.equal(undefined);
  });

  it('reads its parameters and says what is wrong with them', () => {
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    const good = { subject_token: 't', subject_token_type: type, resource: 'https://a/' };
    expect(readExchange(good)).to.deep.equal({
      subject: 't',
      actor: undefined,
      target: 'https://a/',
      scopes: undefined,
    });
    expect(readExchange({ ...good, audience: 'https://a/', scope: 'b  a' }).scopes).to.deep.equal(['b', 'a']);
    const urn = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
    for (const [change, error] of [
      [{ subject_token: undefined }, 'invalid_request'],
      [{ subject_token_type: undefined }, 'invalid_request'],
      [{ subject_token: undefined, subject_token_type: undefined }, 'invalid_request'],
      ...['refresh_token', 'id_token', 'jwt', 'saml2'].map(
        (name) => [{ subject_token_type: urn(name) }, 'invalid_request'] as const,
      ),
      [{ subject_token: 'x'.repeat(9000) }, 'invalid_request'],
      [{ actor_token: 't' }, 'invalid_request'],
      [{ actor_token_type: type }, 'invalid_request'],
      [{ actor_token: 't', actor_token_type: urn('id_token') }, 'invalid_request'],
      [{ requested_token_type: urn('refresh_token') }, 'invalid_request'],
      [{ resource: undefined }, 'invalid_request'],
      [{ resource: ['https://a/', 'https://b/'] }, 'invalid_target'],
      [{ audience: 'https://b/' }, 'invalid_target'],
    ] as const) {
      expect(
        errorOf(() => readExchange({ ...good, ...change } as never)),
        JSON.stringify(change).slice(0, 80),
      ).to.equal(error);
    }
  });

  it('ends with whatever a token was made from, and with what nobody understands', async () => {
    const revoked = new Set<string>();
    const needs = {
      accounts: { find: async (id: string) => (id === 'acc_1' ? { status: 'active' } : undefined) },
      clients: { find: async (id: string) => ({ id, disabled: id === 'app_off' }) },
      apiKeys: { findLive: async (id: string, mark = 'any') => (id === 'good' && mark !== 'old' ? {} : undefined) },
      mayUseTokens: () => true,
      revocations: {
        isRevoked: async (checks: { kind: string; id: string }[]) =>
          checks.some(({ kind, id }) => revoked.has(`${kind}:${id}`)),
      },
    } as unknown as Parameters<typeof lineageIsLive>[0];
    const isLive = (...lineage: string[]) => lineageIsLive(needs, { lineage, iat: 1 });
    const whole = [
      // From before the text was noted, and as it is noted.
      ancestor('key', 'good'),
      keyAncestor('good', 'new'),
      ancestor('account', 'acc_1'),
      ancestor('client', 'app_1'),
      ancestor('token', 'jti'),
    ];
    expect(await isLive(...whole)).to.equal(true);
    expect(await isLive()).to.equal(true);
    for (const bad of ['key:bad', 'key:good.old', 'account:acc_2', 'client:app_off', 'grant:1', 'nothing', '']) {
      expect(await isLive(...whole, bad), bad).to.equal(false);
    }
    for (const entry of whole.slice(2)) {
      revoked.clear();
      revoked.add(entry);
      expect(await isLive(...whole), entry).to.equal(false);
    }
    const hash = 'the hash of an opaque token';
    revoked.clear();
    revoked.add(`token:${hash}`).add('api:https://x/');
    for (const bad of [`opaque:${hash}`, 'api:https://x/']) expect(await isLive(...whole, bad), bad).to.equal(false);
    expect(isOfAccount({ lineage: ['account:acc_1'] }, 'acc_1')).to.equal(true);
    expect(isOfAccount({ lineage: ['client:acc_1'] }, 'acc_1')).to.equal(false);
  });

  it('is as old as the oldest token that it came from', () => {
    const once = lineageAfter([], ['client:a', 'token:1'], 100);
    expect(once).to.deep.equal(['client:a', 'token:1', 'since:100']);
    const twice = lineageAfter(once, ['client:b', 'token:1', 'token:2'], 200);
    expect(twice).to.deep.equal(['client:a', 'token:1', 'client:b', 'token:2', 'since:100']);
    expect([lineageSince(twice, 300), lineageSince(['since:x'], 300), lineageSince([], 300)]).to.deep.equal([
      100, 300, 300,
    ]);
  });
});
