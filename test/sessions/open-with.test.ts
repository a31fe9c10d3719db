import { expect } from 'chai';
import type { AccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, fifty, fresh, meta } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`what is done together with opening a session on ${lane}`, function () {
    this.timeout(20_000);
    let fixture: Fixture;
    let accountId: AccountId;
    const open = (flow: string, also?: () => Promise<unknown>) =>
      fixture.sessions.open({ accountId, kind: 'browser', flow, amr: ['pwd'] }, meta, also);

    beforeEach(async () => {
      fixture = await createFixture(lane, { limit: 2, onLimit: 'refuse' });
      accountId = await fixture.account();
    });

    it('is kept with it, once for fifty who open the same one', async () => {
      const { devices, sessions, history } = fixture;
      const [flow, device] = [fresh(), fresh()];
      await Promise.all(fifty.map(() => open(flow, () => devices.seen(accountId, device, meta))));
      expect(await sessions.list(accountId)).to.have.length(1);
      expect(await devices.isKnown(accountId, device)).to.equal(true);
      expect(await history(accountId, 'device.first_seen')).to.have.length(1);
    });

    it('leaves nothing of either when it fails', async () => {
      const { devices, sessions, history } = fixture;
      const device = fresh();
      const failed = open(fresh(), async () => {
        await devices.seen(accountId, device, meta);
        throw new Error('full');
      });
      expect(await failed.catch((error: Error) => error.message)).to.equal('full');
      expect(await sessions.list(accountId)).to.deep.equal([]);
      expect(await devices.isKnown(accountId, device)).to.equal(false);
      expect(await history(accountId, 'device.first_seen')).to.deep.equal([]);
    });

    it('is not done when the account was taken back since something was shown', async () => {
      const { revocations, sessions } = fixture;
      const asOf = await revocations.endOf(accountId);
      const request = { accountId, kind: 'browser', amr: ['pwd'], asOf } as const;
      expect(await sessions.open({ ...request, flow: fresh() }, meta)).to.have.property('outcome', 'opened');
      await revocations.revoke({ kind: 'account', id: accountId, reason: 'a new password' });
      const also = () => Promise.reject(new Error('done all the same'));
      expect(await sessions.open({ ...request, flow: fresh() }, meta, also)).to.deep.equal({ outcome: 'ended' });
    });

    it('is not done when the account has too many', async () => {
      await open(fresh());
      await open(fresh());
      let done = false;
      const also = async () => {
        done = true;
      };
      expect(await open(fresh(), also)).to.deep.equal({ outcome: 'refused', limit: 2 });
      expect(done).to.equal(false);
      expect(await fixture.history(accountId, 'session.refused')).to.have.length(1);
    });
  });
}
