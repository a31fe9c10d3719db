import { expect } from 'chai';
import { delaysOf } from '../../src/sign-in/throttle.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import {
  createFixture,
  type Fixture,
  meta,
  newPassword,
  oldPassword,
  shortPassword,
  signInPolicy,
  tally,
} from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`changing one's password on ${lane}`, () => {
    let fixture: Fixture;
    beforeEach(async () => {
      fixture = await createFixture(lane);
    });
    const change = { current: oldPassword, next: newPassword };

    it('sets it once, audits it once with who and where, and ends what there was but the kept session', async () => {
      const { settings, credentials, newPerson, countOf, clock, sessions, revocations, links } = fixture;
      const person = await newPerson();
      const open = async (uid: string) => {
        const base = { accountId: person.id, amr: ['pwd'], acr: 'aal1', grants: [] } as const;
        await sessions.bind({ ...base, uid, authenticatedAt: clock.now() });
        return (await sessions.findByUid(uid))?.id ?? '';
      };
      const [kept, other] = [await open(`kept ${person.id}`), await open(`other ${person.id}`)];
      const { token } = await links.create({
        purpose: 'reset-password',
        accountId: person.id,
        email: person.email,
        lifeSeconds: 3600,
      });
      clock.advance(1);
      const result = await settings.changePassword(person, { ...change, keepSession: kept }, meta);
      expect(result).to.deep.equal({ outcome: 'changed', endedUntil: clock.now() });
      expect(await credentials.verifyPassword(person.id, newPassword)).to.equal(true);
      expect(await credentials.verifyPassword(person.id, oldPassword)).to.equal(false);
      expect(await countOf(person, 'password.changed')).to.equal(2);
      expect((await sessions.list(person.id)).map(({ id }) => id)).to.deep.equal([kept]);
      expect(other).to.not.equal(kept);
      const before = { kind: 'account', id: person.id, issuedAt: clock.now() } as const;
      expect(await revocations.isRevoked([before])).to.equal(true);
      expect(await revocations.isRevoked([{ ...before, issuedAt: clock.now() + 1 }])).to.equal(false);
      expect(await links.peek('reset-password', token)).to.equal(undefined);
    });

    it('ends the own session too when nobody asks to keep it', async () => {
      const { settings, newPerson, sessions, clock } = fixture;
      const person = await newPerson();
      const uid = `u ${person.id}`;
      await sessions.bind({ accountId: person.id, amr: [], grants: [], uid, authenticatedAt: clock.now() });
      await settings.changePassword(person, change);
      expect(await sessions.list(person.id)).to.deep.equal([]);
    });

    it('says why a new one is not taken, only to whoever knows the old one, and counts nothing', async () => {
      const { settings, newPerson, throttle, clock, countOf } = fixture;
      const person = await newPerson();
      const again = await settings.changePassword(person, { current: oldPassword, next: oldPassword });
      expect(again).to.have.property('outcome', 'refused');
      expect(again).to.have.nested.property('reasons[0].code', 'used_before');
      const stranger = await settings.changePassword(person, { current: 'a guess', next: oldPassword });
      expect(stranger).to.deep.equal({ outcome: 'wrong_password' });
      expect(await countOf(person, 'password.change_failed')).to.equal(1);
      const next = await throttle.reserve({ account: person.id }, delaysOf(signInPolicy), clock.now());
      expect(next, 'the refused ones were taken back').to.include({ granted: true, failures: 2 });
    });

    it('pauses whoever guesses under the same count as sign-ins, and locks at the same try', async () => {
      const { settings, newPerson, throttle, clock, countOf } = fixture;
      const person = await newPerson();
      // Two failures at the front door.
      for (let index = 0; index < 2; index += 1)
        await throttle.reserve({ account: person.id }, delaysOf(signInPolicy), clock.now());
      const guess = () => settings.changePassword(person, { current: 'a guess', next: newPassword }, meta);
      expect(await guess()).to.deep.equal({ outcome: 'wrong_password', retryAt: clock.now() + 1000 });
      expect(await settings.changePassword(person, change)).to.have.property('outcome', 'paused');
      clock.advance(2);
      await guess();
      clock.advance(4);
      expect(await guess()).to.deep.equal({ outcome: 'wrong_password', retryAt: clock.now() + 900_000 });
      expect(await countOf(person, 'sign_in.locked')).to.equal(1);
      clock.advance(899);
      expect(await settings.changePassword(person, change)).to.have.property('outcome', 'paused');
      clock.advance(1);
      expect(await settings.changePassword(person, change)).to.have.property('outcome', 'changed');
    });

    it('of 50 at once is done once, and of 50 guesses no more are looked at than a sign-in would', async () => {
      const { settings, newPerson, credentials, countOf, clock } = fixture;
      const person = await newPerson();
      const nexts = Array.from({ length: 50 }, (_, index) => `${newPassword} ${index}`);
      const counts = await tally(nexts.map((next) => settings.changePassword(person, { current: oldPassword, next })));
      expect(counts.changed).to.equal(1);
      expect(await countOf(person, 'password.changed')).to.equal(2);
      const taken = await Promise.all(nexts.map((next) => credentials.verifyPassword(person.id, next)));
      expect(taken.filter(Boolean)).to.have.length(1);

      const other = await newPerson();
      clock.advance(60);
      const guesses = await tally(
        nexts.map((current) => settings.changePassword(other, { current, next: newPassword })),
      );
      expect(guesses).to.deep.equal({ wrong_password: 3, paused: 47 });
    });

    it('lets a shorter one do beside a second factor, and somebody without one set the first', async () => {
      const { settings, newPerson, enrol, credentials } = fixture;
      const person = await newPerson();
      const short = { current: oldPassword, next: shortPassword };
      expect(await settings.changePassword(person, short)).to.have.property('outcome', 'refused');
      await enrol(person);
      expect(await settings.changePassword(person, short)).to.have.property('outcome', 'changed');
      const bare = await newPerson('');
      // It took nothing from anybody.
      expect(await settings.changePassword(bare, { next: newPassword })).to.deep.equal({ outcome: 'changed' });
      expect(await credentials.verifyPassword(bare.id, newPassword)).to.equal(true);
    });

    it('to a short one and removing the second factor at once never both happen', async () => {
      const { settings, newPerson, enrol, credentials } = fixture;
      for (let round = 0; round < 8; round += 1) {
        const person = await newPerson();
        await enrol(person);
        const removal = settings.removeTotp(person);
        const shorter = settings.changePassword(person, { current: oldPassword, next: shortPassword });
        await Promise.allSettled([removal, shorter]);
        const { totp } = await credentials.factorsOf(person.id);
        const isShort = await credentials.verifyPassword(person.id, shortPassword);
        expect(isShort && !totp, `round ${round}`).to.equal(false);
      }
    });

    it('is no way around the count for an empty or impossible password', async () => {
      const { settings, newPerson, countOf } = fixture;
      const person = await newPerson();
      expect(await settings.changePassword(person, { next: newPassword })).to.have.property(
        'outcome',
        'wrong_password',
      );
      const huge = await settings.changePassword(person, { current: 'x'.repeat(5000), next: newPassword });
      expect(huge).to.have.property('outcome', 'wrong_password');
      expect(await countOf(person, 'password.change_failed')).to.equal(2);
      expect(await refusalCode(settings.removeTotp(person))).to.equal('conflict');
    });
  });
}
