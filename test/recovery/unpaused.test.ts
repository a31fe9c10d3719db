import { expect } from 'chai';
import { hashDevice } from '../../src/devices/index.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { nameKeysOf, triedBy } from '../../src/sign-in/throttle.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import { createWorld, goodPassword, meta, operator, type World } from '../registration/fixture.ts';
import { sqlLanes } from '../support/database.ts';

for (const lane of sqlLanes()) {
  describe(`wrong tries from before on ${lane}`, () => {
    const device = 'a known browser';
    const delays = [1_800_000];
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    /** Somebody who is paused under both names and in the browser that they know. */
    const paused = async () => {
      const person = await world.person({ username: `u${Math.random().toString(36).slice(2)}` });
      const account = await world.domains.accounts.find(person.id);
      if (!account) throw new Error('nobody is there');
      await world.domains.devices.seen(person.id, device, meta);
      expect(nameKeysOf(account)).to.have.length(2);
      await granted(person.id, account);
      expect(await granted(person.id, account)).to.deep.equal([false, false, false]);
      return { ...person, account };
    };
    /** Whether a try is looked at: under each name, and in the browser. */
    const granted = async (id: AccountId, { username = '', email }: { username?: string; email: string }) => {
      const throttle = createSqlThrottleStore(world.database);
      const browser = { accountId: id, deviceHash: hashDevice(device) };
      const results = [];
      for (const [login, known] of [[username], [email], [email, browser]] as const) {
        const taken = await throttle.tryReserve(triedBy({ id }, login), delays, world.clock.now(), known);
        results.push(taken?.granted === true);
        // The account's count, so that the next name has its own one to wait for.
        if (taken?.granted && login === username) await throttle.giveBack({ key: taken.key, turn: taken.turn });
      }
      return results;
    };

    it('pause nobody who has set a new password by mail', async () => {
      const { id, email, account } = await paused();
      await world.recovery().requestReset(email, meta);
      const { token } = await world.lastMail(email, 'reset-password');
      expect((await world.recovery().reset(token, 'short', meta)).outcome).to.equal('refused');
      expect(await granted(id, account), 'nothing was done yet').to.deep.equal([false, false, false]);
      expect((await world.recovery().reset(token, goodPassword(), meta)).outcome).to.equal('done');
      expect(await granted(id, account)).to.deep.equal([true, true, true]);
    });

    it('pause nobody who has used a recovery link, and somebody else still', async () => {
      const [{ id, account }, other] = [await paused(), await paused()];
      const options = { lost: 'password', delivery: 'hand' } as const;
      const { path = '' } = await world.recovery().issueLink(id, operator, options, meta);
      const token = /token=([\w-]+)/.exec(path)?.[1] ?? '';
      const done = await world.recovery().useLink(token, { newPassword: goodPassword() }, meta);
      expect(done.outcome).to.equal('done');
      expect(await granted(id, account)).to.deep.equal([true, true, true]);
      expect(await granted(other.id, other.account)).to.deep.equal([false, false, false]);
    });
  });
}
