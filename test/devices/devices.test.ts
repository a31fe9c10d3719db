import { expect } from 'chai';
import { type AccountId, asAccountId } from '../../src/shared/ids.ts';
import { createFixture, type Fixture, fifty, fresh, meta } from '../sessions/fixture.ts';
import { sqlLanes } from '../support/database.ts';

const day = 86_400;
const operator = { kind: 'operator' } as const;

for (const lane of sqlLanes()) {
  describe(`devices on ${lane}`, function () {
    this.timeout(20_000);
    let fixture: Fixture;
    let accountId: AccountId;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      accountId = await fixture.account();
    });

    describe('that are known', () => {
      it('are new once, and the first of an account is no news', async () => {
        const { devices } = fixture;
        const [first, second] = [fresh(), fresh()];
        expect(await devices.seen(accountId, first, meta)).to.deep.equal({ known: false, first: true });
        expect(await devices.seen(accountId, first, meta)).to.deep.equal({ known: true, first: false });
        expect(await devices.seen(accountId, second, meta)).to.deep.equal({ known: false, first: false });
        const events = await fixture.history(accountId, 'device.first_seen');
        expect(events.map(({ details }) => details?.first).sort()).to.deep.equal([false, true]);
        expect(events[0]?.details).to.deep.include({ browser: 'Firefox', os: 'Windows' });
      });

      it('are news once for 50 sign-ins at the same moment', async () => {
        const { devices } = fixture;
        await devices.seen(accountId, fresh(), meta);
        const device = fresh();
        const seen = await Promise.all(fifty.map(() => devices.seen(accountId, device, meta)));
        expect(seen.filter(({ known }) => !known)).to.deep.equal([{ known: false, first: false }]);
        expect(await fixture.history(accountId, 'device.first_seen')).to.have.length(2);
      });

      it('are known to their account only, for 400 days, and until they are forgotten', async () => {
        const { devices, clock } = fixture;
        const device = fresh();
        await devices.seen(accountId, device, meta);
        expect(await devices.isKnown(accountId, device)).to.equal(true);
        expect(await devices.isKnown(await fixture.account(), device)).to.equal(false);
        expect(await devices.isKnown(accountId, fresh())).to.equal(false);
        expect(await devices.isKnown(accountId, undefined)).to.equal(false);
        expect(await devices.isKnown(undefined, device)).to.equal(false);
        const [listed] = await devices.listKnown(accountId);
        expect(listed).to.deep.include({ browser: 'Firefox', lastIp: meta.ip, firstSeenAt: clock.now() });
        expect(JSON.stringify(listed)).not.to.contain(device);
        clock.advance(400 * day);
        expect(await devices.isKnown(accountId, device)).to.equal(false);
        await devices.purge();
        expect(await fixture.database.sql('known_device').where({ account_id: accountId })).to.deep.equal([]);

        await devices.seen(accountId, device, meta);
        const [again] = await devices.listKnown(accountId);
        expect(await devices.forgetKnown(accountId, again?.deviceHash ?? '')).to.equal(true);
        expect(await devices.isKnown(accountId, device)).to.equal(false);
      });

      it('are bounded in number', async () => {
        const { devices, clock } = fixture;
        const first = fresh();
        await devices.seen(accountId, first, meta);
        for (let index = 0; index < 100; index += 1) {
          clock.advance(1);
          await devices.seen(accountId, fresh(), meta);
        }
        expect(await devices.listKnown(accountId)).to.have.length(100);
        expect(await devices.isKnown(accountId, first)).to.equal(false);
      });
    });

    describe('that are remembered', () => {
      const remember = async (device: string): Promise<string> =>
        (await fixture.devices.remember(accountId, device, meta)) ?? '';

      it('take the place of the second factor, with another token each time', async () => {
        const { devices, clock } = fixture;
        const device = fresh();
        let token = await remember(device);
        for (let index = 0; index < 3; index += 1) {
          clock.advance(day);
          expect(await devices.isRemembered(accountId, device, token)).to.equal(true);
          const used = await devices.useRemembered(accountId, device, token, meta);
          expect(used.remembered).to.equal(true);
          const next = 'token' in used ? (used.token ?? '') : '';
          expect(next).not.to.equal(token);
          token = next;
        }
        expect(await devices.listRemembered(accountId)).to.have.length(1);
        const rows = JSON.stringify(await fixture.database.sql('remembered_device').where({ account_id: accountId }));
        for (const part of [device, ...token.split('.')]) expect(rows).not.to.contain(part);
      });

      it('are let in by one token 50 times at once, which is replaced once', async () => {
        const { devices } = fixture;
        const device = fresh();
        const token = await remember(device);
        const used = await Promise.all(fifty.map(() => devices.useRemembered(accountId, device, token, meta)));
        expect(used.every(({ remembered }) => remembered)).to.equal(true);
        expect(used.filter((use) => 'token' in use && use.token !== undefined)).to.have.length(1);
      });

      it('are forgotten for both when the cookie was copied and a second one comes with it', async () => {
        const { devices, clock } = fixture;
        const device = fresh();
        const stolen = await remember(device);
        const used = await devices.useRemembered(accountId, device, stolen, meta);
        const next = 'token' in used ? used.token : undefined;
        clock.advance(31);
        const second = await devices.useRemembered(accountId, device, stolen, { ...meta, ip: '198.51.100.1' });
        expect(second).to.deep.equal({ remembered: false, clear: true });
        expect((await devices.useRemembered(accountId, device, next, meta)).remembered, 'for both').to.equal(false);
        const events = await fixture.history(accountId, 'device.copied');
        expect(events).to.have.length(1);
        expect(events[0]?.actor).to.deep.equal({ kind: 'stranger' });
      });

      it('are forgotten when an old token or another browser shows up', async () => {
        const { devices, clock } = fixture;
        const device = fresh();
        const first = await remember(device);
        let token: string | undefined = first;
        for (let index = 0; index < 3; index += 1) {
          const used: Awaited<ReturnType<typeof devices.useRemembered>> = await devices.useRemembered(
            accountId,
            device,
            token,
            meta,
          );
          token = 'token' in used ? used.token : undefined;
        }
        expect((await devices.useRemembered(accountId, device, first, meta)).remembered).to.equal(false);
        expect((await devices.useRemembered(accountId, device, token, meta)).remembered).to.equal(false);

        const other = await remember(device);
        clock.advance(1);
        expect((await devices.useRemembered(accountId, fresh(), other, meta)).remembered).to.equal(false);
        expect((await devices.useRemembered(accountId, device, other, meta)).remembered).to.equal(false);
        expect(await fixture.history(accountId, 'device.copied')).to.have.length(2);
      });

      it("are not another account's, and strangers' tokens disturb nobody", async () => {
        const { devices } = fixture;
        const device = fresh();
        const token = await remember(device);
        const other = await fixture.account();
        expect((await devices.useRemembered(other, device, token, meta)).remembered).to.equal(false);
        for (const text of ['', 'x', `${'a'.repeat(43)}.${'b'.repeat(43)}`, `${token}x`, '\0', token.split('.')[0]]) {
          expect((await devices.useRemembered(accountId, device, text, meta)).remembered, text).to.equal(false);
        }
        expect(await devices.useRemembered(accountId, device, undefined, meta)).to.deep.equal({
          remembered: false,
          clear: false,
        });
        expect((await devices.useRemembered(accountId, device, token, meta)).remembered).to.equal(true);
      });

      it('are no more than ten, of 50 at once, one for each browser', async () => {
        const { devices } = fixture;
        await Promise.all(fifty.map(() => remember(fresh())));
        expect(await devices.listRemembered(accountId)).to.have.length(10);
        const device = fresh();
        fixture.clock.advance(1);
        const before = await remember(device);
        await remember(device);
        expect(await devices.listRemembered(accountId)).to.have.length(10);
        expect((await devices.useRemembered(accountId, device, before, meta)).remembered).to.equal(false);
      });

      it('end on their day, one by one, and all at once', async () => {
        const { devices, clock } = fixture;
        const [one, two, three] = [fresh(), fresh(), fresh()];
        const token = await remember(one);
        clock.advance(29 * day);
        await remember(two);
        const last = await remember(three);
        clock.advance(day);
        expect((await devices.useRemembered(accountId, one, token, meta)).remembered).to.equal(false);
        expect(await fixture.history(accountId, 'device.copied'), 'old is not copied').to.deep.equal([]);
        const listed = await devices.listRemembered(accountId);
        expect(listed).to.have.length(2);
        expect(listed[0]?.expiresAt).to.equal(clock.now() + 29 * day * 1000);
        const how = { by: operator, reason: 'asked' };
        expect(await devices.forget(await fixture.account(), listed[0]?.id ?? '', how)).to.equal(false);
        expect(await devices.forget(accountId, listed[0]?.id ?? '', how)).to.equal(true);
        expect(await devices.forgetAll(accountId, how)).to.equal(1);
        expect((await devices.useRemembered(accountId, three, last, meta)).remembered).to.equal(false);
        expect(await fixture.history(accountId, 'device.forgotten')).to.have.length(2);
      });

      it('are nothing where the installation does not want it, whatever was remembered before', async () => {
        const device = fresh();
        const token = await remember(device);
        const { devices } = await createFixture(lane, { rememberDays: 0 });
        expect((await devices.useRemembered(accountId, device, token, meta)).remembered).to.equal(false);
        expect(await devices.isRemembered(accountId, device, token)).to.equal(false);
        expect(await devices.remember(accountId, device, meta)).to.equal(undefined);
        expect(await devices.listRemembered(accountId)).to.deep.equal([]);
        expect(await devices.useRemembered(asAccountId('nobody'), device, token, meta)).to.deep.equal({
          remembered: false,
          clear: true,
        });
      });
    });
  });
}
