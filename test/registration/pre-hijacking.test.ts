import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createWorld, goodPassword, meta, newAddress, operator, sameBrowser, type World } from './fixture.ts';

const day = 86_400;
const stranger = { browser: 's'.repeat(43) };

for (const lane of sqlLanes()) {
  describe(`a registration of somebody else's address on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    const find = (email: string) => world.domains.accounts.findByLogin(email);
    const hijacked = async (extra: Record<string, unknown> = {}) => {
      const [email, password] = [newAddress(), goodPassword()];
      await world.registration().register({ email, password, ...stranger, ...extra }, meta);
      const { token } = await world.lastMail(email, 'verify-email');
      return { email, password, token, id: (await find(email))?.id };
    };

    it('is not confirmed without a proof, and a failed one uses nothing up', async () => {
      const { email, password, token } = await hijacked();
      const registration = world.registration();
      expect(await registration.viewVerification(token)).to.deep.include({ outcome: 'usable', proven: false });
      expect(await registration.viewVerification(token, 'x'.repeat(43))).to.deep.include({ proven: false });
      expect(await registration.viewVerification(token, stranger.browser)).to.deep.include({ proven: true });
      const wrong = [{}, { browser: '' }, { browser: 'x'.repeat(43) }, { password: '' }, { password: goodPassword() }];
      for (const proof of wrong) {
        expect(await registration.verifyEmail(token, proof, meta)).to.deep.equal({ outcome: 'unproven' });
      }
      expect((await find(email))?.status).to.equal('unverified');
      expect((await registration.verifyEmail(token, { password }, meta)).outcome).to.equal('verified');
    });

    it('is taken over with a password of one’s own: password, username and name of the stranger go', async () => {
      const username = `u${randomText(8)}`;
      const { email, password, token, id } = await hijacked({ username, profile: { name: 'Not Me' } });
      const mine = goodPassword();
      const registration = world.registration();
      const weak = await registration.verifyEmail(token, { newPassword: 'short' }, meta);
      expect(weak.outcome === 'refused' && weak.reasons.map(({ code }) => code)).to.include('too_short');
      expect((await find(email))?.status).to.equal('unverified');
      // A right proof beside it changes nothing: what is asked for is the new password.
      const done = await registration.verifyEmail(token, { ...stranger, password, newPassword: mine }, meta);
      expect(done).to.deep.equal({ outcome: 'verified', accountId: id, usernameTaken: false });
      const account = await find(email);
      expect(account).to.deep.include({ status: 'active', emailVerified: true, profile: {} });
      expect(account?.username).to.equal(undefined);
      const { verifyPassword } = world.domains.credentials;
      expect([await verifyPassword(id, mine), await verifyPassword(id, password)]).to.deep.equal([true, false]);
      expect(await find(username)).to.equal(undefined);
    });

    it('is taken over by one of 20 at once, and no half of it by another', async () => {
      const { token, id } = await hijacked();
      const passwords = Array.from({ length: 20 }, goodPassword);
      const registration = world.registration();
      const answers = await Promise.all(
        passwords.map((newPassword) => registration.verifyEmail(token, { newPassword }, meta)),
      );
      const won = answers.findIndex(({ outcome }) => outcome === 'verified');
      expect(answers.filter(({ outcome }) => outcome === 'already')).to.have.length(19);
      expect(await world.domains.credentials.verifyPassword(id, passwords[won] ?? '')).to.equal(true);
    });

    it('is removed by whoever has the mailbox, once, with all that it left, and not after it was confirmed', async () => {
      const { email, token, id } = await hijacked();
      const registration = world.registration();
      const answers = await Promise.all(Array.from({ length: 20 }, () => registration.discard(token, meta)));
      expect(answers.filter(({ outcome }) => outcome === 'discarded')).to.have.length(1);
      expect(await find(email)).to.equal(undefined);
      const events = await world.domains.audit.list({ subject: id ?? '', type: 'account.purged', limit: 9 });
      expect(events).to.have.length(1);
      const other = await hijacked();
      await registration.resend(other.email);
      const { token: second } = await world.lastMail(other.email, 'verify-email');
      await registration.verifyEmail(other.token, stranger, meta);
      expect((await registration.discard(second, meta)).outcome).to.equal('expired');
      expect((await registration.discard(other.token, meta)).outcome).to.equal('already');
      expect((await find(other.email))?.status).to.equal('active');
    });

    it('gains nothing by what its victim does: a registration or a new link of theirs proves nothing', async () => {
      const { email, token } = await hijacked();
      const registration = world.registration();
      await registration.register({ email, password: goodPassword(), ...sameBrowser }, meta);
      await registration.resend(email);
      expect((await world.mails(email)).map(({ template }) => template)).to.deep.equal(Array(3).fill('verify-email'));
      const { token: latest } = await world.lastMail(email, 'verify-email');
      for (const one of [token, latest]) {
        expect((await registration.verifyEmail(one, sameBrowser, meta)).outcome).to.equal('unproven');
      }
    });

    it('is confirmed by an operator’s own account without a proof: nobody else chose its password', async () => {
      const email = newAddress();
      await world.domains.accounts.create({ email }, operator);
      const registration = world.registration();
      await registration.resend(email);
      const { token } = await world.lastMail(email, 'verify-email');
      expect(await registration.viewVerification(token)).to.deep.include({ proven: true });
      expect((await registration.verifyEmail(token, {}, meta)).outcome).to.equal('verified');
    });

    it('frees the address after seven days, and touches no account that was confirmed, stopped or imported', async () => {
      const registration = world.registration();
      const [waiting, confirmed, reset, stopped] = [
        await hijacked(),
        await hijacked(),
        await hijacked(),
        await hijacked(),
      ];
      await registration.verifyEmail(confirmed.token, stranger, meta);
      await world.recovery().requestReset(reset.email, meta);
      const { token } = await world.lastMail(reset.email, 'reset-password');
      await world.recovery().reset(token, goodPassword(), meta);
      await world.domains.accounts.disable(stopped.id ?? ('' as never), operator);
      const imported = newAddress();
      await world.domains.accounts.create({ email: imported, status: 'unverified' }, operator);
      world.clock.advance(7 * day - 60);
      await registration.purge();
      expect((await find(waiting.email))?.status).to.equal('unverified');
      const late = await hijacked();
      world.clock.advance(60);
      const purges = await Promise.all([registration.purge(), registration.purge(), registration.purge()]);
      expect(purges.reduce((sum, one) => sum + one)).to.be.at.least(1);
      expect(await find(waiting.email)).to.equal(undefined);
      const left = [confirmed.email, reset.email, stopped.email, imported, late.email];
      const statuses = [];
      for (const email of left) statuses.push((await find(email))?.status);
      expect(statuses).to.deep.equal(['active', 'active', 'suspended', 'unverified', 'unverified']);
      const [event] = await world.domains.audit.list({ subject: waiting.id ?? '', type: 'account.purged', limit: 1 });
      expect(event?.actor).to.deep.equal({ kind: 'system' });
      // The address is free for its owner.
      await registration.register({ email: waiting.email, password: goodPassword(), ...sameBrowser }, meta);
      const { token: mine } = await world.lastMail(waiting.email, 'verify-email');
      expect((await registration.verifyEmail(mine, sameBrowser, meta)).outcome).to.equal('verified');
    });
  });
}
