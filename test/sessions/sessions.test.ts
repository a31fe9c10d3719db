import { expect } from 'chai';
import type { AccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, fifty, firefox, fresh, meta } from './fixture.ts';

const operator = { kind: 'operator' } as const;

for (const lane of sqlLanes()) {
  describe(`sessions on ${lane}`, function () {
    this.timeout(20_000);
    let fixture: Fixture;
    let accountId: AccountId;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      accountId = await fixture.account();
    });

    it('are listed newest first, with what is known of them, and the one that asks', async () => {
      const { sessions, clock, signIn } = fixture;
      const first = await signIn(accountId, fresh());
      clock.advance(5);
      const second = await signIn(accountId);
      await sessions.addGrant(second.uid, { clientId: 'app_mail', grantId: fresh() });
      const listed = await sessions.list(accountId, first.uid);
      expect(listed.map(({ id, current }) => [id, current])).to.deep.equal([
        [second.id, false],
        [first.id, true],
      ]);
      expect(listed[1]).to.deep.include({
        browser: 'Firefox',
        os: 'Windows',
        type: 'desktop',
        ip: meta.ip,
        lastIp: meta.ip,
        amr: ['pwd'],
        clientIds: ['app_notes'],
      });
      expect([...(listed[0]?.clientIds ?? [])].sort()).to.deep.equal(['app_mail', 'app_notes']);
      expect(JSON.stringify(listed), 'no uid leaves').not.to.contain(first.uid);
      expect(await sessions.list(await fixture.account())).to.deep.equal([]);
    });

    it('end once for 50 who end it at the same moment, with all they had', async () => {
      const { sessions, signIn, told } = fixture;
      const { id, uid, grantId, authenticatedAt } = await signIn(accountId);
      const endedAt = fixture.clock.now();
      const results = await Promise.all(fifty.map(() => sessions.end(id, operator)));
      expect(results.filter(Boolean)).to.have.length(1);
      expect(await fixture.isRevoked('session', uid, authenticatedAt)).to.equal(true);
      expect(await fixture.isRevoked('grant', grantId)).to.equal(true);
      expect(await fixture.history(accountId, 'session.ended')).to.deep.equal([
        { actor: operator, details: { session: id, reason: 'ended', apps: ['app_notes'] } },
      ]);
      expect(told).to.deep.equal([
        { id, accountId, uid, reason: 'ended', endedAt, grants: [{ clientId: 'app_notes', grantId }] },
      ]);
      expect(await sessions.touch(uid, authenticatedAt)).to.equal('over');
      expect(await sessions.list(accountId)).to.deep.equal([]);
    });

    it("are nobody else's to end", async () => {
      const { sessions, signIn } = fixture;
      const { id } = await signIn(accountId);
      const stranger = await fixture.account();
      const by = { kind: 'account', id: stranger } as const;
      expect(await sessions.end(id, by, 'ended', { owner: stranger })).to.equal(false);
      expect(await sessions.end('ses_none', by, 'ended', { owner: stranger })).to.equal(false);
      expect(await sessions.list(accountId)).to.have.length(1);
      expect(await sessions.end(id, { kind: 'account', id: accountId }, 'ended', { owner: accountId })).to.equal(true);
    });

    it('end but for one, and all with what came another way', async () => {
      const { sessions, signIn, revocations } = fixture;
      const kept = await signIn(accountId);
      const others = [await signIn(accountId), await signIn(accountId)];
      const by = { kind: 'account', id: accountId } as const;
      expect(await sessions.endOthers(accountId, kept.id, by, meta)).to.equal(2);
      expect((await sessions.list(accountId)).map(({ id }) => id)).to.deep.equal([kept.id]);
      for (const { grantId } of others) expect(await fixture.isRevoked('grant', grantId)).to.equal(true);
      expect(await fixture.isRevoked('grant', kept.grantId)).to.equal(false);
      expect(await sessions.endAll(accountId, operator)).to.equal(1);
      expect(await sessions.endAll(accountId, operator)).to.equal(0);
      const issuedAt = fixture.clock.now() - 1;
      expect(await revocations.isRevoked([{ kind: 'account', id: accountId, issuedAt }])).to.equal(true);
      const ended = await fixture.history(accountId, 'session.ended');
      expect(ended.map(({ details }) => details?.reason).sort()).to.deep.equal([
        'ended-all',
        'ended-others',
        'ended-others',
      ]);
    });

    it('take no grant once they ended, not even one that comes at the same moment', async () => {
      const { sessions, signIn } = fixture;
      const { id, uid } = await signIn(accountId);
      const grants = fifty.map(() => ({ clientId: 'app_mail', grantId: fresh() }));
      const work = grants.map((grant) => sessions.addGrant(uid, grant));
      const [ended, ...added] = await Promise.all([sessions.end(id, operator), ...work]);
      expect(ended).to.equal(true);
      for (const [index, grant] of grants.entries()) {
        const wanted = added[index] === true;
        expect(await fixture.isRevoked('grant', grant.grantId), `grant ${index}`).to.equal(wanted);
      }
      expect(await sessions.addGrant(uid, { clientId: 'app_mail', grantId: fresh() })).to.equal(false);
    });

    it('that were ended before their browser came give it nothing', async () => {
      const { sessions, clock, told } = fixture;
      const [flow, uid, grantId] = [fresh(), fresh(), fresh()];
      const opened = await sessions.open({ accountId, kind: 'browser', flow, amr: ['pwd'] }, meta);
      await sessions.end('id' in opened ? opened.id : '', operator);
      const grants = [{ clientId: 'app_notes', grantId }];
      const browser = { uid, accountId, flow, amr: ['pwd'], authenticatedAt: clock.now(), grants };
      expect(await sessions.bind(browser, meta)).to.equal('ended');
      expect(await fixture.isRevoked('session', uid, clock.now())).to.equal(true);
      expect(await fixture.isRevoked('grant', grantId)).to.equal(true);
      expect(told.at(-1)).to.deep.include({ uid, grants });
      expect(await sessions.list(accountId)).to.deep.equal([]);
    });

    it('are not brought back by a request that was under way, but by a new sign-in in that browser', async () => {
      const { sessions, clock, signIn } = fixture;
      const { id, uid, authenticatedAt } = await signIn(accountId);
      clock.advance(10);
      await sessions.end(id, operator);
      const late = { uid, accountId, amr: ['pwd'], authenticatedAt, grants: [] };
      expect(await sessions.bind(late, meta)).to.equal('ended');
      clock.advance(10);
      const again = { ...late, flow: fresh(), authenticatedAt: clock.now() };
      await sessions.open({ accountId, kind: 'browser', flow: again.flow, uid, amr: ['pwd'] }, meta);
      expect(await sessions.bind(again, meta)).to.equal('open');
      expect(await sessions.touch(uid, clock.now())).to.equal('live');
      expect(await fixture.isRevoked('session', uid, clock.now())).to.equal(false);
      expect(await sessions.list(accountId)).to.have.length(1);
    });

    it('stay one when the person proves more in the same browser, in any number of tabs', async () => {
      const { sessions, clock, signIn } = fixture;
      const { id, uid } = await signIn(accountId);
      clock.advance(60);
      const flow = fresh();
      const request = { accountId, kind: 'browser', flow, uid, amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' } as const;
      expect(await sessions.open(request, meta)).to.deep.equal({ outcome: 'opened', id });
      const browser = { ...request, grants: [], authenticatedAt: clock.now() };
      await Promise.all(fifty.map(() => sessions.bind(browser, meta)));
      // A tab that opened a session of its own, before it knew of this one.
      const other = fresh();
      await sessions.open({ accountId, kind: 'browser', flow: other, amr: ['pwd'] }, meta);
      await sessions.bind({ ...browser, flow: other }, meta);
      const listed = await sessions.list(accountId, uid);
      expect(listed).to.have.length(1);
      expect(listed[0]).to.deep.include({ id, acr: 'aal2', amr: request.amr, authenticatedAt: clock.now() });
      expect(await fixture.history(accountId, 'session.ended')).to.deep.equal([]);
    });

    it('are made for a browser that was signed in before there were any', async () => {
      const { sessions, clock } = fixture;
      const uid = fresh();
      const browser = { uid, accountId, amr: ['pwd'], authenticatedAt: clock.now() - 5000, grants: [] };
      expect(await sessions.touch(uid, browser.authenticatedAt)).to.equal('unknown');
      await Promise.all(fifty.map(() => sessions.bind(browser, { ip: '192.0.2.9', userAgent: firefox })));
      expect(await sessions.list(accountId, uid)).to.have.length(1);
      expect(await sessions.touch(uid, browser.authenticatedAt)).to.equal('live');
    });

    it('tie one sign-in to one browser only', async () => {
      const { sessions, signIn, clock } = fixture;
      const { flow, id } = await signIn(accountId);
      const thief = { uid: fresh(), accountId, flow, amr: ['pwd'], authenticatedAt: clock.now(), grants: [] };
      expect(await sessions.bind(thief, meta)).to.equal('ended');
      expect((await sessions.list(accountId)).map((session) => session.id)).to.deep.equal([id]);
    });

    it('write their activity once a minute', async () => {
      const { sessions, clock, signIn, otherNode } = fixture;
      const { uid, authenticatedAt } = await signIn(accountId);
      const started = clock.now();
      const at = async (): Promise<number | undefined> => (await sessions.list(accountId))[0]?.lastActiveAt;
      clock.advance(59);
      await Promise.all(fifty.map(() => otherNode().touch(uid, authenticatedAt, { ip: meta.ip })));
      expect(await at()).to.equal(started);
      clock.advance(1);
      await Promise.all(fifty.map(() => otherNode().touch(uid, authenticatedAt, { ip: meta.ip })));
      expect(await at()).to.equal(started + 60_000);
      clock.advance(1);
      await Promise.all(fifty.map(() => otherNode().touch(uid, authenticatedAt, { ip: '192.0.2.99' })));
      expect(await at(), 'another address').to.equal(started + 61_000);
      const [listed] = await sessions.list(accountId);
      expect([listed?.ip, listed?.lastIp]).to.deep.equal([meta.ip, '192.0.2.99']);
    });

    it('end by themselves, idle or too old, and leave offline access', async () => {
      const { sessions, clock, signIn, ...rest } = await createFixture(lane, {
        idleSeconds: 3600,
        absoluteSeconds: 8 * 3600,
      });
      const [idle, used] = [await signIn(accountId), await signIn(accountId)];
      for (const _ of [1, 2]) {
        clock.advance(1800);
        expect(await sessions.touch(used.uid, used.authenticatedAt)).to.equal('live');
      }
      expect(await sessions.touch(idle.uid, idle.authenticatedAt)).to.equal('over');
      expect((await sessions.list(accountId)).map(({ id }) => id)).to.deep.equal([used.id]);
      await sessions.purge();
      const reasons = async () =>
        (await rest.history(accountId, 'session.ended')).map(({ details }) => details?.reason);
      expect(await reasons()).to.deep.equal(['idle']);
      expect(await rest.isRevoked('session', idle.uid, idle.authenticatedAt)).to.equal(true);
      expect(await rest.isRevoked('grant', idle.grantId)).to.equal(false);

      for (let turn = 0; turn < 14; turn += 1) {
        clock.advance(1800);
        await sessions.touch(used.uid, used.authenticatedAt);
      }
      expect(await sessions.touch(used.uid, used.authenticatedAt)).to.equal('over');
      await sessions.purge();
      expect((await reasons()).sort()).to.deep.equal(['expired', 'idle']);
      clock.advance(31 * 86_400);
      await sessions.purge();
      expect(await rest.database.sql('session').where({ account_id: accountId })).to.deep.equal([]);
    });

    it('of apps end like those of browsers, with their grants, and are never idle', async () => {
      const { sessions, clock, ...rest } = await createFixture(lane, { idleSeconds: 3600 });
      const grantId = fresh();
      const opened = await sessions.open(
        { accountId, kind: 'api', amr: ['pwd'], grants: [{ clientId: 'app_cli', grantId }], lifeSeconds: 7200 },
        { ip: '192.0.2.1', userAgent: 'curl/8.5' },
      );
      clock.advance(3700);
      const [listed] = await sessions.list(accountId);
      expect(listed).to.deep.include({ kind: 'api', browser: 'curl', clientIds: ['app_cli'] });
      expect(await sessions.end('id' in opened ? opened.id : '', operator)).to.equal(true);
      expect(await rest.isRevoked('grant', grantId)).to.equal(true);
    });

    it('end with a sign-out, which leaves offline access and says so once', async () => {
      const { sessions, signIn } = fixture;
      const { id, uid, grantId } = await signIn(accountId);
      const by = { kind: 'account', id: accountId } as const;
      const results = await Promise.all([sessions.signOut(uid, by, meta), sessions.signOut(uid, by, meta)]);
      expect(results.filter(Boolean)).to.have.length(1);
      expect(await fixture.isRevoked('grant', grantId)).to.equal(false);
      const [event, ...more] = await fixture.history(accountId, 'session.ended');
      expect(more).to.deep.equal([]);
      expect(event?.details).to.deep.include({ session: id, reason: 'signed-out' });
    });

    it('end with all others that were signed in to until a moment, and no later ones', async () => {
      const { sessions, signIn, clock, database } = fixture;
      const early = await signIn(accountId);
      const moment = clock.now();
      clock.advance(1);
      const late = await signIn(accountId);
      // Everybody is concerned, also the sessions that other tests left here.
      const others = database.sql('session').whereNot({ account_id: accountId }).whereNull('ended_at');
      await others.update({ authenticated_at: new Date(moment + 1) });
      expect(await sessions.endSignedInBefore(moment, operator)).to.equal(1);
      expect((await sessions.list(accountId)).map(({ id }) => id)).to.deep.equal([late.id]);
      expect(await fixture.isRevoked('grant', early.grantId)).to.equal(true);
      expect(await sessions.endSignedInBefore(moment, operator)).to.equal(0);
    });

    it('end for good although somebody who is told of it fails', async () => {
      const { sessions, signIn } = fixture;
      const { id, uid } = await signIn(accountId);
      sessions.onEnd(() => Promise.reject(new Error('Redis is away')));
      expect(await sessions.end(id, operator)).to.equal(true);
      expect(await fixture.isRevoked('session', uid)).to.equal(true);
    });

    it('are marked as ended where the account was revoked, in the transaction of that', async () => {
      const { sessions, signIn, database, told } = fixture;
      await signIn(accountId);
      const failed = database.transaction(async () => {
        expect(await sessions.endRevoked(accountId, operator, 'password-changed')).to.equal(1);
        throw new Error('undone');
      });
      await failed.catch(() => undefined);
      expect(await sessions.list(accountId)).to.have.length(1);
      await database.transaction(() => sessions.endRevoked(accountId, operator, 'password-changed'));
      expect(await sessions.list(accountId)).to.have.length(0);
      expect(told).to.deep.equal([]);
    });
  });
}
