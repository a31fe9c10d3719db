import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, fifty, fresh, meta } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`limit of sessions on ${lane}`, function () {
    this.timeout(20_000);
    let ending: Fixture;
    let refusing: Fixture;

    before(async () => {
      ending = await createFixture(lane);
      refusing = await createFixture(lane, { onLimit: 'refuse' });
    });

    const open = ({ sessions }: Fixture, accountId: Awaited<ReturnType<Fixture['account']>>, deviceId = fresh()) =>
      sessions.open({ accountId, kind: 'browser', flow: fresh(), deviceId, amr: ['pwd'] }, meta);

    it('holds for 50 sign-ins at once, and each that had to go is audited once', async () => {
      const accountId = await ending.account();
      const results = await Promise.all(fifty.map(() => open(ending, accountId)));
      expect(results.map(({ outcome }) => outcome)).to.deep.equal(fifty.map(() => 'opened'));
      expect(await ending.sessions.list(accountId)).to.have.length(5);
      const ended = await ending.history(accountId, 'session.ended');
      expect(ended).to.have.length(45);
      expect(new Set(ended.map(({ details }) => details?.session)).size).to.equal(45);
      expect(ended[0]).to.deep.include({ actor: { kind: 'system' } });
      expect(ended[0]?.details?.reason).to.equal('limit');
    });

    it('holds for 50 browsers that are bound at once, and those that were pushed out get nothing', async () => {
      const accountId = await ending.account();
      const browsers = await Promise.all(fifty.map(() => ending.signIn(accountId)));
      const open = browsers.filter(({ outcome }) => outcome === 'open');
      const listed = await ending.sessions.list(accountId);
      expect(listed).to.have.length(5);
      for (const { uid, grantId, authenticatedAt } of browsers) {
        const standing = await ending.otherNode().touch(uid, authenticatedAt);
        const over = await ending.isRevoked('session', uid, authenticatedAt);
        expect(standing === 'live').to.equal(!over);
        expect(await ending.isRevoked('grant', grantId), 'a grant is good as long as its session').to.equal(over);
      }
      expect(open.length).to.be.at.least(5);
    });

    it('refuses beyond it when that is the policy, at once too', async () => {
      const accountId = await refusing.account();
      const results = await Promise.all(fifty.map(() => open(refusing, accountId)));
      expect(results.filter(({ outcome }) => outcome === 'opened')).to.have.length(5);
      expect(results.find(({ outcome }) => outcome === 'refused')).to.deep.equal({ outcome: 'refused', limit: 5 });
      expect(await refusing.history(accountId, 'session.refused')).to.have.length(45);
      expect(await refusing.history(accountId, 'session.ended')).to.have.length(0);
    });

    it('lets a browser in whose own earlier session makes room', async () => {
      const accountId = await refusing.account();
      const deviceId = fresh();
      const first = await open(refusing, accountId, deviceId);
      for (const _ of [1, 2, 3, 4]) await open(refusing, accountId);
      const again = await open(refusing, accountId, deviceId);
      expect(again.outcome).to.equal('opened');
      const ids = (await refusing.sessions.list(accountId)).map(({ id }) => id as string);
      expect(ids)
        .to.have.length(5)
        .and.not.include('id' in first ? first.id : '');
      expect((await open(refusing, accountId)).outcome).to.equal('refused');
    });

    it('ends the one that was used longest ago', async () => {
      const accountId = await ending.account();
      const made = [];
      for (const _ of [1, 2, 3, 4, 5]) {
        made.push(await ending.signIn(accountId));
        ending.clock.advance(120);
      }
      const [first, second] = made;
      expect(await ending.sessions.touch(first?.uid ?? '', first?.authenticatedAt ?? 0)).to.equal('live');
      ending.clock.advance(1);
      await ending.signIn(accountId);
      const ids = (await ending.sessions.list(accountId)).map(({ id }) => id);
      expect(ids).to.include(first?.id).and.not.include(second?.id);
      expect(await ending.isRevoked('grant', second?.grantId ?? '')).to.equal(true);
    });

    it('counts one sign-in once, however often it is finished', async () => {
      const accountId = await ending.account();
      const flow = fresh();
      const request = { accountId, kind: 'browser', flow, amr: ['pwd'] } as const;
      const results = await Promise.all(fifty.map(() => ending.sessions.open(request, meta)));
      expect(new Set(results.map((result) => ('id' in result ? result.id : ''))).size).to.equal(1);
      expect(await ending.sessions.list(accountId)).to.have.length(1);
    });

    it('does not count sessions that are over', async () => {
      const accountId = await refusing.account();
      for (const _ of fifty.slice(0, 5)) await open(refusing, accountId);
      refusing.clock.advance(601);
      expect((await open(refusing, accountId)).outcome).to.equal('opened');
    });

    it('keeps accounts apart, and has no limit at 0', async () => {
      const { account, sessions } = await createFixture(lane, { limit: 0 });
      const [one, other] = [await account(), await account()];
      await sessions.open({ accountId: other, kind: 'browser', flow: fresh(), amr: [] });
      for (const _ of fifty.slice(0, 12)) {
        await sessions.open({ accountId: one, kind: 'browser', flow: fresh(), amr: [] });
      }
      expect(await sessions.list(one)).to.have.length(12);
      expect(await sessions.list(other)).to.have.length(1);
    });
  });
}
