import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { judgeSecondUse, passesAsRetry, rotationOf, type SecondUseAccess } from '../../src/oidc/artifact-refresh.ts';
import { bindingOf, mergeSession } from '../../src/oidc/artifact-session.ts';
import { slotOf, tokenIdFor } from '../../src/oidc/artifact-store.ts';
import { createSqlArtifactStores } from '../../src/oidc/artifact-store-sql.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Database } from '../../src/storage/database.ts';
import { newUnitOfWork } from '../../src/storage/unit-of-work.ts';
import { secrets } from './artifact-lane.ts';

describe('artifact ids', () => {
  it('say their kind and carry the tag of their grant', () => {
    const grantId = randomUUID();
    const ids = { AccessToken: 'at', RefreshToken: 'rt', AuthorizationCode: 'ac' };
    for (const [kind, prefix] of Object.entries(ids)) {
      const id = tokenIdFor(kind, grantId);
      expect(id).to.match(new RegExp(`^${prefix}_[A-Za-z0-9]{10}[A-Za-z0-9_-]{43}$`));
      expect(slotOf(kind, id)).to.equal(slotOf('Grant', grantId));
      expect(tokenIdFor(kind, grantId)).not.to.equal(id);
    }
    expect(slotOf('AccessToken', tokenIdFor('AccessToken', undefined))).to.match(/^[A-Za-z0-9]{10}$/);
    expect(tokenIdFor('ClientCredentials', undefined)).to.match(/^cc_/);
    expect(tokenIdFor('Grant', undefined)).to.match(/^[A-Za-z0-9_-]{43}$/);
  });

  it('of another kind are turned down without asking the store', async () => {
    const database = {
      get sql(): never {
        throw new Error('asked');
      },
    } as unknown as Database;
    const policy = { refreshRetrySeconds: 10, isStrict: async () => false };
    const stores = createSqlArtifactStores({ database, secrets, clock: systemClock, policy });
    const access = tokenIdFor('AccessToken', randomUUID());
    for (const kind of ['RefreshToken', 'AuthorizationCode', 'ClientCredentials']) {
      expect(await stores(kind).find(access)).to.equal(undefined);
    }
    expect(await stores('AccessToken').find(`${access}x`)).to.equal(undefined);
    const refused = await stores('AccessToken')
      .find(access)
      .catch(({ message }: Error) => message);
    expect(refused).to.equal('asked');
  });

  it('of models that others keep are refused', () => {
    const make = () => createSqlArtifactStores({} as never)('Client');
    expect(make).to.throw(RangeError);
    expect(() => tokenIdFor('toString', undefined)).to.throw(RangeError);
  });
});

describe('judgeSecondUse', () => {
  const token = { consumedAt: 10_000 };
  const judge = (more: object, at: object = {}) =>
    judgeSecondUse({ ...token, ...more }, { now: 12_000, arrivedAt: 11_000, retrySeconds: 10, ...at });

  it('forgives one that arrived after the answer and inside the window', () => {
    expect(judge({})).to.equal('retry');
    expect(judge({}, { now: 20_000 })).to.equal('retry');
    expect(judge({}, { now: 20_001 })).to.equal('reuse');
    expect(judge({}, { retrySeconds: 0 })).to.equal('reuse');
  });

  it('does not forgive, nor punish, one that arrived before the latest answer', () => {
    expect(judge({}, { arrivedAt: 10_000 })).to.equal('parallel');
    expect(judge({ renewedAt: 11_000 })).to.equal('parallel');
    expect(judge({ renewedAt: 10_899 })).to.equal('retry');
  });
});

describe('judgeSecondUse, of one that arrived just after the answer', () => {
  const judge = (arrivedAt: number, renewedAt?: number) =>
    judgeSecondUse({ consumedAt: 10_000, renewedAt }, { now: 12_000, arrivedAt, retrySeconds: 10 });

  it('takes it for no retry yet: nobody misses an answer that fast', () => {
    expect([judge(10_001), judge(10_100), judge(10_101)]).to.deep.equal(['early', 'early', 'retry']);
    expect([judge(11_000, 11_000), judge(11_100, 11_000), judge(11_101, 11_000)]).to.deep.equal([
      'parallel',
      'early',
      'retry',
    ]);
  });
});

describe('passesAsRetry', () => {
  const token = { idHash: 'used', consumedAt: 10_000, contended: false, successorHash: 'one' };
  const at = () => ({ unit: newUnitOfWork(11_000), now: 12_000, retrySeconds: 10 });
  const access = (more: Partial<SecondUseAccess>): SecondUseAccess => ({
    reload: async () => token,
    isUnused: async () => false,
    markContended: async () => undefined,
    ...more,
  });

  it('does not take the work of another retry, answered between two looks, for a use of the successor', async () => {
    const reload = async () => ({ ...token, renewedAt: 11_500, successorHash: 'two' });
    const verdict = await passesAsRetry(token, at(), access({ reload })).catch((error: unknown) => error);
    expect(verdict).to.have.property('error', 'invalid_grant');
    const moment = at();
    const replaced = {
      reload: async () => ({ ...token, successorHash: 'two' }),
      isUnused: async (hash: string) => hash === 'two',
    };
    expect(await passesAsRetry(token, moment, access(replaced))).to.equal(true);
    expect(rotationOf(moment.unit).retry).to.deep.equal({ idHash: 'used', successorHash: 'two' });
  });

  it('is no when the successor was used, or the family is gone', async () => {
    expect(await passesAsRetry(token, at(), access({}))).to.equal(false);
    expect(await passesAsRetry(token, at(), access({ reload: async () => undefined }))).to.equal(false);
    expect(await passesAsRetry({ ...token, successorHash: undefined }, at(), access({}))).to.equal(false);
  });
});

describe('mergeSession', () => {
  const alice = { accountId: 'a', loginTs: 1, acr: 'one', amr: ['pwd'] };

  it('lets a sign-in replace an anonymous session, and nothing replace a signed-in one', () => {
    expect(mergeSession({ state: { secret: 'planted' } }, { ...alice, uid: 'u' })).to.deep.equal({
      ...alice,
      uid: 'u',
    });
    expect(mergeSession(alice, {})).to.equal(undefined);
    expect(mergeSession(alice, { ...alice, accountId: 'b' })).to.equal(undefined);
  });

  it('adds up what two requests added, and takes away what one removed', () => {
    const base = { ...alice, authorizations: { a: { grantId: '1' }, b: { grantId: '1' } } };
    const stored = { ...alice, authorizations: { ...base.authorizations, c: { grantId: '1' } } };
    const mine = { ...alice, authorizations: { b: { grantId: '2' } } };
    const read = { version: 1, stored: base, base };
    expect(mergeSession(stored, mine, read)?.authorizations).to.deep.equal({
      b: { grantId: '2' },
      c: { grantId: '1' },
    });
    expect(mergeSession(stored, mine)?.authorizations).to.have.keys('a', 'b', 'c');
  });

  it('never puts an older sign-in over a newer one', () => {
    const newer = { ...alice, loginTs: 500, acr: 'two' };
    expect(mergeSession(newer, { ...alice, loginTs: 400 })).to.deep.include({ loginTs: 500, acr: 'two' });
    expect(mergeSession(alice, newer)).to.deep.include({ loginTs: 500, acr: 'two' });
  });

  it('binds ids to who is signed in, when and how', () => {
    const all = [
      {},
      alice,
      { ...alice, accountId: 'b' },
      { ...alice, loginTs: 2 },
      { ...alice, acr: 'two' },
      { ...alice, amr: ['otp'] },
    ];
    expect(new Set(all.map(bindingOf)).size).to.equal(all.length);
  });
});
