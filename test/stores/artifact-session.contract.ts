import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ArtifactPayload, ArtifactStore } from '../../src/oidc/artifact-store.ts';
import { type ArtifactLane, type Fixture, fifty, type Request } from './artifact-lane.ts';

const day = 86_400;
const alice = { accountId: 'acc_alice', loginTs: 100, acr: 'one', amr: ['pwd'] };
const mallory = { accountId: 'acc_mallory', loginTs: 200, acr: 'one', amr: ['pwd'] };
const grantOf = (client: string, version = 1) => ({
  [client]: { sid: `sid-${client}`, grantId: `${client}-${version}` },
});

/** A request that has read a session, and later saves what it made of it, as oidc-provider does. */
class BrowserRequest {
  readonly found: ArtifactPayload | undefined;
  readonly #state: Request;
  readonly #at: Fixture;

  private constructor(at: Fixture, state: Request, found: ArtifactPayload | undefined) {
    this.#at = at;
    this.#state = state;
    this.found = found;
  }

  static async open(at: Fixture, cookie: string): Promise<BrowserRequest> {
    const state: Request = {};
    return new BrowserRequest(at, state, await at.request(state, () => at.stores('Session').find(cookie)));
  }

  /** Saves under the same id, or under a new one as after an interaction; returns the cookie to set. */
  save(change: Record<string, unknown>, options: { rotate?: boolean } = {}): Promise<string> {
    const sessions = this.#at.stores('Session');
    const old = this.found?.jti ?? '';
    return this.#at.request(this.#state, async () => {
      const jti = options.rotate ? randomUUID() : old;
      if (options.rotate) {
        this.#state.leaving = old;
        await sessions.destroy(old);
      }
      await sessions.upsert(jti, { ...this.found, ...change, jti }, day);
      return jti;
    });
  }

  logout(): Promise<void> {
    return this.#at.request(this.#state, () => this.#at.stores('Session').destroy(this.found?.jti ?? ''));
  }
}

/** Browser sessions: parallel saves are merged, ends are final, and no id outlives a sign-in. */
export function describeSessions(lane: ArtifactLane): void {
  let at: Fixture;
  let sessions: ArtifactStore;
  let uid: string;

  const open = (cookie: string): Promise<BrowserRequest> => BrowserRequest.open(at, cookie);
  const accountOf = async (cookie: string): Promise<string | undefined> => (await open(cookie)).found?.accountId;
  /** A new session with this in it; returns its cookie. */
  const begin = async (more: Record<string, unknown> = {}): Promise<string> => {
    const jti = randomUUID();
    uid = randomUUID();
    await at.request({}, () => sessions.upsert(jti, { kind: 'Session', uid, jti, ...more }, day));
    return jti;
  };

  beforeEach(async () => {
    at = await lane.open();
    sessions = at.stores('Session');
  });

  it('are found by cookie and by uid until they expire', async () => {
    const cookie = await begin(alice);
    expect((await open(cookie)).found).to.deep.equal({ kind: 'Session', uid, jti: cookie, ...alice });
    expect(await sessions.findByUid(uid)).to.deep.equal({ kind: 'Session', uid, jti: cookie, ...alice });
    expect(await sessions.findByUid('other')).to.equal(undefined);
    at.clock.advance(day);
    expect((await open(cookie)).found).to.equal(undefined);
    expect(await sessions.findByUid(uid)).to.equal(undefined);
  });

  describe('merge', () => {
    it('the apps of 50 requests that all read before any of them saved', async () => {
      const cookie = await begin({ ...alice, authorizations: grantOf('app') });
      const requests = await Promise.all(fifty(() => open(cookie)));
      await Promise.all(
        requests.map((request, index) =>
          request.save({ authorizations: { ...grantOf('app'), ...grantOf(`app_${index}`) } }),
        ),
      );
      expect(Object.keys((await open(cookie)).found?.authorizations ?? {})).to.have.length(51);
    });

    it('only what each request changed: an old value does not come back, a removed one does not return', async () => {
      const cookie = await begin({ ...alice, authorizations: { ...grantOf('a'), ...grantOf('b') } });
      const [first, second, third] = await Promise.all([open(cookie), open(cookie), open(cookie)]);
      await first.save({ authorizations: { ...grantOf('a', 2), ...grantOf('b') } });
      await second.save({ authorizations: grantOf('a') });
      await third.save({ state: { secret: 'x' } });
      expect((await open(cookie)).found).to.deep.include({ authorizations: grantOf('a', 2), state: { secret: 'x' } });
    });

    it('two saves of one request around a save of another', async () => {
      const cookie = await begin(alice);
      const [first, second] = await Promise.all([open(cookie), open(cookie)]);
      await first.save({ authorizations: grantOf('a') });
      await second.save({ authorizations: grantOf('b') });
      await first.save({ authorizations: { ...grantOf('a'), ...grantOf('c') } });
      expect(Object.keys((await open(cookie)).found?.authorizations ?? {})).to.have.members(['a', 'b', 'c']);
    });

    it('never the data of two accounts: who was first stays signed in', async () => {
      const cookie = await begin();
      const [victim, attacker] = await Promise.all([open(cookie), open(cookie)]);
      const mine = await victim.save({ ...alice, authorizations: grantOf('a') }, { rotate: true });
      const theirs = await attacker.save({ ...mallory, authorizations: grantOf('b') }, { rotate: true });
      expect((await open(mine)).found).to.deep.include({ ...alice, authorizations: grantOf('a') });
      expect((await open(theirs)).found).to.equal(undefined);
    });

    it('two tabs that sign in one account at once, and both ids work', async () => {
      const cookie = await begin();
      const [one, two] = await Promise.all([open(cookie), open(cookie)]);
      const first = await one.save({ ...alice, authorizations: grantOf('a') }, { rotate: true });
      const second = await two.save({ ...alice, loginTs: 101, authorizations: grantOf('b') }, { rotate: true });
      for (const tab of [first, second]) {
        expect(Object.keys((await open(tab)).found?.authorizations ?? {})).to.have.members(['a', 'b']);
      }
    });

    it('keeps a stronger sign-in when a request that knew the weaker one saves late', async () => {
      const cookie = await begin(alice);
      const late = await open(cookie);
      const strong = { ...alice, loginTs: 500, acr: 'two', amr: ['pwd', 'otp'] };
      const fresh = await (await open(cookie)).save(strong, { rotate: true });
      await late.save({ authorizations: grantOf('a') });
      expect((await open(fresh)).found).to.deep.include({ ...strong, authorizations: grantOf('a') });
    });
  });

  describe('fixation', () => {
    it('an id from before the sign-in opens nothing afterwards, whoever saves with it', async () => {
      const planted = await begin();
      const [late, victim] = await Promise.all([open(planted), open(planted)]);
      const cookie = await victim.save(alice, { rotate: true });
      expect((await open(planted)).found).to.equal(undefined);
      await late.save({ state: { secret: 'planted' } });
      expect((await open(planted)).found).to.equal(undefined);
      expect((await open(cookie)).found).not.to.have.property('state');
      expect(await accountOf(cookie)).to.equal('acc_alice');
    });

    it('a late request from before the sign-in cannot sign the account out', async () => {
      const planted = await begin();
      const [late, victim] = await Promise.all([open(planted), open(planted)]);
      const cookie = await victim.save(alice, { rotate: true });
      await late.logout();
      expect(await accountOf(cookie)).to.equal('acc_alice');
    });

    it('signing in again ends the ids of before at once', async () => {
      const cookie = await begin(alice);
      const fresh = await (await open(cookie)).save({ ...alice, loginTs: 101 }, { rotate: true });
      expect((await open(cookie)).found).to.equal(undefined);
      expect(await accountOf(fresh)).to.equal('acc_alice');
    });
  });

  describe('rotation of the id', () => {
    it('lets requests under way find the session for 30 seconds, and moves them on to the new id', async () => {
      const cookie = await begin(alice);
      const fresh = await (await open(cookie)).save({ authorizations: grantOf('a') }, { rotate: true });
      const underWay = await open(cookie);
      expect(underWay.found).to.deep.include({ jti: fresh, accountId: 'acc_alice', authorizations: grantOf('a') });
      await underWay.save({ authorizations: { ...grantOf('a'), ...grantOf('b') } });
      at.clock.advance(31);
      expect((await open(cookie)).found).to.equal(undefined);
      expect(Object.keys((await open(fresh)).found?.authorizations ?? {})).to.have.members(['a', 'b']);
    });

    it('does not revive the old id when a request that had it saves', async () => {
      const cookie = await begin(alice);
      const late = await open(cookie);
      const fresh = await (await open(cookie)).save({}, { rotate: true });
      await late.save({ authorizations: grantOf('b') });
      expect((await open(cookie)).found, 'moved on').to.have.property('jti', fresh);
      at.clock.advance(31);
      expect((await open(cookie)).found).to.equal(undefined);
      expect((await open(fresh)).found).to.have.property('jti', fresh);
      expect(await sessions.findByUid(uid)).to.have.property('jti', fresh);
    });

    it('in two tabs at once gives two ids that both work', async () => {
      const cookie = await begin(alice);
      const [one, two] = await Promise.all([open(cookie), open(cookie)]);
      const ids = await Promise.all([
        one.save({ authorizations: grantOf('a') }, { rotate: true }),
        two.save({ authorizations: grantOf('b') }, { rotate: true }),
      ]);
      at.clock.advance(31);
      for (const each of ids) {
        expect(Object.keys((await open(each)).found?.authorizations ?? {})).to.have.members(['a', 'b']);
      }
    });
  });

  describe('the end', () => {
    it('is final for every id and every late save', async () => {
      const cookie = await begin(alice);
      const fresh = await (await open(cookie)).save({}, { rotate: true });
      const [late, rotating] = await Promise.all([open(fresh), open(fresh)]);
      await (await open(fresh)).logout();
      await late.save({ authorizations: grantOf('a') });
      const revived = await rotating.save({ authorizations: grantOf('b') }, { rotate: true });
      for (const each of [cookie, fresh, revived]) expect((await open(each)).found).to.equal(undefined);
      expect(await sessions.findByUid(uid)).to.equal(undefined);
    });

    it('also comes from an id that the session has left within 30 seconds, and from one that only knows the uid', async () => {
      const cookie = await begin(alice);
      const late = await open(cookie);
      const fresh = await (await open(cookie)).save({}, { rotate: true });
      await late.logout();
      expect((await open(fresh)).found).to.equal(undefined);
      const other = await begin(alice);
      const found = await sessions.findByUid(uid);
      await sessions.destroy(found!.jti!);
      expect((await open(other)).found).to.equal(undefined);
    });

    it('wins against 50 saves under way', async () => {
      const cookie = await begin(alice);
      const requests = await Promise.all(fifty(() => open(cookie)));
      await Promise.all(
        requests.map((request, index) =>
          index === 25 ? request.logout() : request.save({ authorizations: grantOf(`app_${index}`) }),
        ),
      );
      expect((await open(cookie)).found).to.equal(undefined);
      expect(await sessions.findByUid(uid)).to.equal(undefined);
    });

    it('of a session that is not there is no error', async () => {
      await sessions.destroy(randomUUID());
    });
  });
}
