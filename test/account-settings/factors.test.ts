import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, oldPassword, shortPassword, tally } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`changing one's factors on ${lane}`, () => {
    let fixture: Fixture;
    beforeEach(async () => {
      fixture = await createFixture(lane);
    });
    const many = <T>(work: () => Promise<T>): Promise<T>[] => Array.from({ length: 50 }, work);

    it('turns an authenticator on once, with ten codes that are shown once', async () => {
      const { settings, newPerson, credentials, codeAt, countOf } = fixture;
      const person = await newPerson();
      const { secret, replaces } = await settings.beginTotp(person, 'tab');
      expect(replaces).to.equal(false);
      expect((await settings.beginTotp(person, 'tab')).secret).to.equal(secret);
      expect((await settings.beginTotp(person, 'another browser')).secret).to.not.equal(secret);
      const wrong = await settings.confirmTotp(person, { binding: 'tab', code: '000000' });
      expect(wrong).to.deep.equal({ outcome: 'wrong_code' });
      const input = { binding: 'tab', code: codeAt(secret) };
      expect(await settings.confirmTotp(person, { ...input, binding: 'nobody' })).to.deep.equal({ outcome: 'expired' });
      const results = await Promise.all(many(() => settings.confirmTotp(person, input, meta)));
      const [done, ...others] = results.filter(({ outcome }) => outcome === 'confirmed');
      expect(others).to.deep.equal([]);
      if (done?.outcome !== 'confirmed') throw new Error('nobody confirmed it');
      expect([done.backupCodes.length, done.replaced]).to.deep.equal([10, false]);
      expect(await credentials.backupCodes.use(person.id, done.backupCodes[0] ?? '')).to.equal(true);
      expect(await countOf(person, 'second_factor.enrolled')).to.equal(1);
      expect(await countOf(person, 'backup_codes.created')).to.equal(1);
      expect(await settings.confirmTotp(person, input), 'a replay').to.deep.equal({ outcome: 'expired' });
    });

    it('is too late after ten minutes', async () => {
      const { settings, newPerson, codeAt, clock } = fixture;
      const person = await newPerson();
      const { secret } = await settings.beginTotp(person, 'tab');
      clock.advance(601);
      const late = await settings.confirmTotp(person, { binding: 'tab', code: codeAt(secret) });
      expect(late).to.deep.equal({ outcome: 'expired' });
    });

    it('replaces an authenticator without a gap and keeps the backup codes', async () => {
      const { settings, newPerson, enrol, credentials, codeAt, clock } = fixture;
      const person = await newPerson();
      const old = await enrol(person);
      const { secret, replaces } = await settings.beginTotp(person, 'tab');
      expect(replaces).to.equal(true);
      expect(await credentials.totp.verify(person.id, codeAt(old.secret))).to.equal('accepted');
      clock.advance(60);
      const result = await settings.confirmTotp(person, { binding: 'tab', code: codeAt(secret) });
      expect(result).to.deep.equal({ outcome: 'confirmed', backupCodes: [], replaced: true });
      clock.advance(60);
      expect(await credentials.totp.verify(person.id, codeAt(old.secret))).to.equal('wrong');
      expect(await credentials.totp.verify(person.id, codeAt(secret))).to.equal('accepted');
      expect(await credentials.backupCodes.use(person.id, old.backupCodes[3] ?? '')).to.equal(true);
    });

    it('makes codes again with a replacement when none were left', async () => {
      const { settings, newPerson, enrol, credentials, codeAt } = fixture;
      const person = await newPerson();
      const { backupCodes } = await enrol(person);
      for (const code of backupCodes) await credentials.backupCodes.use(person.id, code);
      const { secret } = await settings.beginTotp(person, 'tab');
      const result = await settings.confirmTotp(person, { binding: 'tab', code: codeAt(secret) });
      expect(result).to.have.property('backupCodes').with.length(10);
    });

    it('removes the second factor once, with codes, remembered browsers and every session', async () => {
      const { settings, newPerson, enrol, credentials, devices, sessions, countOf, clock } = fixture;
      const person = await newPerson();
      await enrol(person);
      await devices.remember(person.id, 'a device', {});
      const uids = [`a ${person.id}`, `b ${person.id}`];
      for (const uid of uids) {
        await sessions.bind({ accountId: person.id, amr: [], grants: [], uid, authenticatedAt: clock.now() });
      }
      clock.advance(1);
      const counts = await tally(many(() => settings.removeTotp(person, meta)));
      expect(counts).to.deep.equal({ removed: 1, conflict: 49 });
      expect(await credentials.factorsOf(person.id)).to.deep.include({ totp: false, backupCodes: 0 });
      expect(await devices.listRemembered(person.id)).to.deep.equal([]);
      expect(await sessions.list(person.id)).to.deep.equal([]);
      expect(await countOf(person, 'second_factor.removed')).to.equal(1);
    });

    it('does not leave an account to a password that is short alone', async () => {
      const { settings, newPerson, enrol, credentials, countOf } = fixture;
      const person = await newPerson();
      await enrol(person);
      await settings.changePassword(person, { current: oldPassword, next: shortPassword });
      const refused = await settings.removeTotp(person, meta);
      expect(refused).to.deep.equal({ outcome: 'password_too_short', minLength: 15 });
      expect((await credentials.factorsOf(person.id)).totp).to.equal(true);
      expect(await countOf(person, 'second_factor.removed')).to.equal(0);
      expect((await settings.securityState(person)).passwordIsShort).to.equal(true);
    });

    it('makes other backup codes, of 50 at once one good set, and none without a second factor', async () => {
      const { settings, newPerson, enrol, credentials, countOf, clock } = fixture;
      const bare = await newPerson();
      expect(await refusalCode(settings.regenerateBackupCodes(bare))).to.equal('conflict');
      const person = await newPerson();
      const { backupCodes } = await enrol(person);
      clock.advance(1);
      const results = await Promise.allSettled(many(() => settings.regenerateBackupCodes(person, meta)));
      const sets = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(sets).to.have.length(1);
      expect(await credentials.backupCodes.use(person.id, backupCodes[0] ?? '')).to.equal(false);
      expect(await credentials.backupCodes.use(person.id, sets[0]?.[9] ?? '')).to.equal(true);
      expect(await countOf(person, 'backup_codes.created')).to.equal(2);
    });

    it('adds a passkey once, for its own account and session only', async () => {
      const { settings, newPerson, addPasskey, passkeys, countOf } = fixture;
      const [person, other] = [await newPerson(), await newPerson()];
      const { response } = await addPasskey(person);
      for (const [account, binding] of [
        [person, 'here'],
        [other, 'here'],
        [person, 'elsewhere'],
      ] as const) {
        expect(await refusalCode(settings.addPasskey(account, { binding, response }))).to.be.oneOf([
          'expired',
          'conflict',
        ]);
      }
      expect(await passkeys.countOf(person.id)).to.equal(1);
      expect(await countOf(person, 'passkey.added')).to.equal(1);
    });

    it('renames and removes a passkey of one’s own, once', async () => {
      const { settings, newPerson, addPasskey, passkeys, countOf } = fixture;
      const [person, other] = [await newPerson(), await newPerson()];
      const { passkey } = await addPasskey(person);
      const rename = (name: string, account = person) =>
        settings.renamePasskey(account, { passkeyId: passkey.id, name }, meta);
      expect(await rename('Blue phone')).to.include({ name: 'Blue phone' });
      expect(await refusalCode(rename('Mine now', other))).to.equal('not_found');
      expect(await refusalCode(rename('   '))).to.equal('invalid_input');
      expect(await refusalCode(settings.removePasskey(other, passkey.id))).to.equal('not_found');
      const counts = await tally(many(() => settings.removePasskey(person, passkey.id, meta)));
      expect(counts).to.deep.equal({ done: 1, not_found: 49 });
      expect(await passkeys.countOf(person.id)).to.equal(0);
      expect(await countOf(person, 'passkey.removed')).to.equal(1);
    });

    it('keeps the only way into an account, also when the last two go at once', async () => {
      const { settings, newPerson, addPasskey, passkeys } = fixture;
      const person = await newPerson('');
      const keys = [await addPasskey(person, 'One'), await addPasskey(person, 'Two')];
      const counts = await tally(keys.map(({ passkey }) => settings.removePasskey(person, passkey.id)));
      expect(counts).to.deep.equal({ done: 1, conflict: 1 });
      expect(await passkeys.countOf(person.id)).to.equal(1);
    });

    it('counts a passkey as the second factor that a short password needs, whichever of both goes', async () => {
      const { settings, newPerson, enrol, addPasskey, credentials } = fixture;
      const person = await newPerson();
      await enrol(person);
      const { passkey } = await addPasskey(person);
      const short = await settings.changePassword(person, { current: oldPassword, next: shortPassword });
      expect(short).to.have.property('outcome', 'changed');
      expect(await settings.removeTotp(person), 'the passkey is left').to.have.property('outcome', 'removed');
      const codes = await settings.regenerateBackupCodes(person);
      expect(await refusalCode(settings.removePasskey(person, passkey.id)), 'nothing would be left').to.equal(
        'conflict',
      );
      const long = await settings.changePassword(person, { current: shortPassword, next: `${oldPassword} again` });
      expect(long).to.have.property('outcome', 'changed');
      await settings.removePasskey(person, passkey.id);
      expect(await credentials.factorsOf(person.id)).to.deep.include({ totp: false, backupCodes: 0 });
      expect(await credentials.backupCodes.use(person.id, codes[0] ?? '')).to.equal(false);
    });

    it('never leaves a short password alone when both second factors go at once', async () => {
      const { settings, newPerson, enrol, addPasskey, credentials, passkeys } = fixture;
      for (let round = 0; round < 5; round += 1) {
        const person = await newPerson();
        await enrol(person);
        const { passkey } = await addPasskey(person);
        await settings.changePassword(person, { current: oldPassword, next: shortPassword });
        const counts = await tally([settings.removeTotp(person), settings.removePasskey(person, passkey.id)]);
        const left = (await credentials.factorsOf(person.id)).totp || (await passkeys.countOf(person.id)) > 0;
        expect(left, JSON.stringify(counts)).to.equal(true);
      }
    });

    it('forgets every remembered browser, once each', async () => {
      const { settings, newPerson, devices, countOf } = fixture;
      const person = await newPerson();
      for (const device of ['one', 'two']) await devices.remember(person.id, device, {});
      const counts = await Promise.all(many(() => settings.forgetRememberedDevices(person, meta)));
      expect(counts.reduce((sum, count) => sum + count, 0)).to.equal(2);
      expect(await countOf(person, 'device.forgotten')).to.equal(2);
    });
  });
}
