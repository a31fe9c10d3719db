import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Account } from '../../src/accounts/index.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { toMilliseconds } from '../../src/sign-in/flow.ts';
import { delaysOf, nameKeysOf, triedBy, triedIn } from '../../src/sign-in/throttle.ts';
import type { ThrottleStore } from '../../src/sign-in/throttle-store.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

const policy = (lockoutTries: number, lockoutSeconds: number) => ({
  lockoutTries,
  lockoutSeconds,
  challengeSeconds: 600,
  flowSeconds: 3600,
  codeTries: 5,
});

describe('the delays after failures', () => {
  it('grow from nothing to the lock', () => {
    expect(delaysOf(policy(5, 1800))).to.deep.equal([0, 0, 1000, 2000, 1_800_000]);
    expect(delaysOf(policy(1, 60))).to.deep.equal([60_000]);
    expect(delaysOf(policy(8, 6))).to.deep.equal([0, 0, 1000, 2000, 4000, 6000, 6000, 6000]);
  });

  it('hold for any configured number', () => {
    for (const tries of [0, -1, 1.5, 100, 1e9, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN]) {
      for (const seconds of [0, 1, 1e6, 2 ** 31, Number.MAX_SAFE_INTEGER, 1e300, Number.POSITIVE_INFINITY]) {
        const delays = delaysOf(policy(tries, seconds));
        expect(delays.length).to.be.within(1, 100);
        expect(delays.every((delay) => Number.isSafeInteger(delay) && delay >= 0)).to.equal(true);
        expect(delays.at(-1)).to.equal(toMilliseconds(seconds));
      }
    }
  });
});

describe('what failures are counted under', () => {
  const account = { id: asAccountId('acc_1'), username: 'Alex', email: 'alex@example.com' } as Account;
  const nameOf = (login: string) => triedBy(undefined, login).name;

  it('is the account and the name, in one form', () => {
    expect(triedBy(account, 'Alex')).to.deep.equal({ account: 'acc_1', name: nameOf('alex') });
    expect(nameOf(' Alex ')).to.equal(nameOf('alex'));
    expect(nameOf('Alex@Example.com')).to.equal(nameOf('alex@EXAMPLE.com'));
    expect(nameOf('alex')).to.not.equal(nameOf('alexa'));
    expect(nameOf('alex@example.com')).to.not.contain('alex');
    expect(nameKeysOf(account)).to.have.members([nameOf('alex'), nameOf('alex@example.com')]);
  });

  it('is something else for each name that nobody has, and never counts as an account', () => {
    const { account: one, name } = triedBy(undefined, 'alex');
    expect(one)
      .to.match(/^login:/)
      .and.not.equal(name);
    expect(triedBy(undefined, 'alexa').account).to.not.equal(one);
  });

  it('is the name that was typed before at a later door, and none that an app hinted at', () => {
    expect(triedIn(account, { loginHint: 'ALEX' })).to.deep.equal(triedBy(account, 'alex'));
    expect(triedIn(account, { loginHint: 'somebody' })).to.deep.equal({ account: 'acc_1' });
    expect(triedIn(account, {})).to.deep.equal({ account: 'acc_1' });
  });
});

for (const lane of sqlLanes()) {
  describe(`the throttle on ${lane}`, () => {
    const delays = delaysOf(policy(5, 1800));
    const start = 1_800_000_000_000;
    let store: ThrottleStore;
    let key: string;

    beforeEach(async () => {
      store = createSqlThrottleStore(await testDatabase(lane));
      key = `test:${randomBytes(8).toString('hex')}`;
    });

    it('lets tries through with growing pauses, then locks, then starts again', async () => {
      let now = start;
      for (const delay of delays) {
        const { granted, retryAt } = await store.reserve({ account: key }, delays, now);
        expect(granted).to.equal(true);
        expect(retryAt).to.equal(now + delay);
        if (delay > 0) {
          expect(await store.reserve({ account: key }, delays, now + delay - 1)).to.deep.equal({
            granted: false,
            retryAt,
          });
        }
        now += delay;
      }
      expect(await store.reserve({ account: key }, delays, now)).to.include({
        granted: true,
        failures: 1,
        retryAt: now,
      });
    });

    it('forgets failures after a quiet time, not before', async () => {
      for (let turn = 0; turn < 4; turn += 1) await store.reserve({ account: key }, delays, start + turn * 5000);
      const last = start + 15_000;
      expect(await store.reserve({ account: key }, delays, last + 1_799_999)).to.include({ failures: 5 });
      const other = `${key}b`;
      for (let turn = 0; turn < 4; turn += 1) await store.reserve({ account: other }, delays, start + turn * 5000);
      expect(await store.reserve({ account: other }, delays, last + 1_800_000)).to.include({ failures: 1 });
    });

    it('reaches a lock that is shorter than the pauses before it', async () => {
      const short = delaysOf(policy(5, 1));
      let now = start;
      const failures: number[] = [];
      for (let turn = 0; turn < 6; turn += 1) {
        const result = await store.reserve({ account: key }, short, now);
        if (result.granted) failures.push(result.failures);
        now = result.retryAt;
      }
      expect(failures).to.deep.equal([1, 2, 3, 4, 5, 1]);
    });

    it('takes a try back with its own pause, but not with a later one', async () => {
      const tries = [];
      for (let turn = 0; turn < 4; turn += 1) {
        const result = await store.reserve({ account: key }, delays, start + turn * 5000);
        if (result.granted) tries.push(result);
      }
      const [first, , , fourth] = tries;
      await store.giveBack(first!);
      expect(await store.reserve({ account: key }, delays, start + 15_000)).to.include({ granted: false });
      await store.giveBack(fourth!);
      expect(await store.reserve({ account: key }, delays, start + 15_000)).to.include({ granted: true, failures: 3 });
    });

    it('never counts below nothing', async () => {
      const reservation = await store.reserve({ account: key }, delays, start);
      await store.reset({ key });
      if (reservation.granted) await store.giveBack(reservation);
      expect(await store.reserve({ account: key }, delays, start)).to.include({ failures: 1 });
    });

    it('lets no more than the limit through of fifty at the same time', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, () => store.reserve({ account: key }, delays, start)),
      );
      expect(results.filter(({ granted }) => granted)).to.have.length(3);
      const flat = [0, 0, 0, 0, 1000];
      const even = await Promise.all(
        Array.from({ length: 50 }, () => store.reserve({ account: `${key}b` }, flat, start)),
      );
      expect(even.filter(({ granted }) => granted)).to.have.length(5);
    });

    it('holds for the longest lock there is', async () => {
      const forever = delaysOf(policy(1, Number.MAX_SAFE_INTEGER));
      await store.reserve({ account: key }, forever, start);
      expect(await store.reserve({ account: key }, forever, start + 50 * 365 * 86_400_000)).to.include({
        granted: false,
      });
    });

    it('counts an account under all its names, and tells each name of its own tries only', async () => {
      const [one, two] = ['one', 'two'].map((name) => ({ account: key, name: `login:${name}${key}` }));
      for (const now of [start, start, start, start + 2000]) {
        expect(await store.tryReserve(one!, delays, now)).to.include({ granted: true });
      }
      // The account's fifth, and the first of this name.
      const last = await store.tryReserve(two!, delays, start + 6000);
      expect(last).to.include({ granted: true, failures: 5, retryAt: start + 1_806_000 });
      expect(last).to.have.nested.property('name.retryAt', start + 6000);
      const unseen = await store.tryReserve(two!, delays, start + 7000);
      expect(unseen).to.include({ granted: false, retryAt: start + 7000 });
      expect(await store.tryReserve(two!, delays, start + 8000)).to.include({ granted: false, retryAt: start + 9000 });
      expect(await store.tryReserve(two!, delays, start + 8500)).to.equal(undefined);
      expect(await store.pausedUntil(two!, start + 8500)).to.equal(start + 9000);
      expect(await store.tryReserve(one!, delays, start + 8500)).to.include({
        granted: false,
        retryAt: start + 1_808_500,
      });
      // Whoever may know is told of both, and counts nothing.
      expect(await store.reserve(two!, delays, start + 9000)).to.deep.equal({
        granted: false,
        retryAt: start + 1_806_000,
      });
      expect(await store.tryReserve(two!, delays, start + 9000)).to.include({
        granted: false,
        retryAt: start + 11_000,
      });
    });

    it('takes a try back, and forgets, under the name too', async () => {
      const tried = { account: key, name: `login:${key}` };
      for (let turn = 0; turn < 2; turn += 1) await store.reserve(tried, delays, start);
      const third = await store.tryReserve(tried, delays, start);
      if (third?.granted) await store.giveBack(third);
      const again = await store.tryReserve(tried, delays, start);
      expect(again)
        .to.include({ failures: 3, retryAt: start + 1000 })
        .and.have.nested.property('name.retryAt', start + 1000);
      if (again?.granted) await store.reset(again);
      expect(await store.tryReserve(tried, delays, start))
        .to.include({ failures: 1 })
        .and.have.nested.property('name.turn', 5);
    });

    it('of fifty at the same time under two names lets no more than the limit through', async () => {
      const tried = ['one', 'two'].map((name) => ({ account: key, name: `login:${name}${key}` }));
      const all = Array.from({ length: 50 }, (_, index) => store.tryReserve(tried[index % 2]!, delays, start));
      expect((await Promise.all(all)).filter((one) => one?.granted)).to.have.length(3);
      const mixed = Array.from({ length: 50 }, async (_, index) => {
        const taken = await store.tryReserve(tried[index % 2]!, delays, start + 5000);
        if (taken) await store.giveBack(taken);
        await store.lift(
          asAccountId(key),
          tried.map(({ name }) => name),
        );
      });
      await Promise.all(mixed);
    });

    it('is purged of what nobody waits for', async () => {
      await store.reserve({ account: key }, delays, 1000);
      await store.reserve({ account: `${key}b` }, [10_000_000], 1000);
      await store.purge(2000, 5000, 100_000);
      expect(await store.reserve({ account: key }, delays, 1000)).to.include({ failures: 1 });
      expect(await store.reserve({ account: `${key}b` }, [10_000_000], 2000)).to.include({ granted: false });
    });
  });
}
