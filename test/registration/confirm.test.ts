import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';
import { createWorld, goodPassword, meta, newAddress, operator, sameBrowser, type World } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`addresses on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    const registered = async () => {
      const [email, password] = [newAddress(), goodPassword()];
      await world.registration().register({ email, password, ...sameBrowser }, meta);
      const account = await world.domains.accounts.findByLogin(email);
      if (!account) throw new Error('It was not registered.');
      return { id: account.id, email, password, token: (await world.lastMail(email, 'verify-email')).token };
    };
    const find = (id: Awaited<ReturnType<typeof registered>>['id']) => world.domains.accounts.find(id);

    describe('are verified', () => {
      it('by the link, once; looking changes nothing, and a second use says that it is done', async () => {
        const { id, email, token } = await registered();
        const registration = world.registration();
        for (let look = 0; look < 3; look += 1) {
          expect(await registration.viewVerification(token)).to.deep.include({ outcome: 'usable', email });
        }
        expect(await find(id)).to.deep.include({ status: 'unverified', emailVerified: false });
        const done = { outcome: 'verified', accountId: id, usernameTaken: false };
        expect(await registration.verifyEmail(token, sameBrowser, meta)).to.deep.equal(done);
        expect(await find(id)).to.deep.include({ status: 'active', emailVerified: true });
        expect(await registration.verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'already' });
        expect(await registration.viewVerification(token)).to.deep.equal({ outcome: 'already' });
        expect(await world.domains.audit.list({ subject: id, type: 'email.verified', limit: 9 })).to.have.length(1);
      });

      it('once when 50 use one link at once', async () => {
        const { id, token } = await registered();
        const registration = world.registration();
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => registration.verifyEmail(token, sameBrowser, meta)),
        );
        expect(answers.filter(({ outcome }) => outcome === 'verified')).to.have.length(1);
        expect(answers.filter(({ outcome }) => outcome === 'already')).to.have.length(49);
        expect(await world.domains.audit.list({ subject: id, type: 'email.verified', limit: 99 })).to.have.length(1);
      });

      it('within a day, and never by a token of another kind or of nobody', async () => {
        const { id, email, token } = await registered();
        const registration = world.registration();
        await world.recovery().requestReset(email, meta);
        const { token: reset } = await world.lastMail(email, 'reset-password');
        for (const wrong of [reset, '', 'x', 'x'.repeat(43), 'x'.repeat(100_000), `${token}=`, `${token}\0`]) {
          expect((await registration.verifyEmail(wrong, sameBrowser, meta)).outcome, wrong.slice(0, 50)).to.equal(
            'expired',
          );
        }
        expect(await registration.confirmEmailChange(token, meta)).to.deep.equal({ outcome: 'expired' });
        expect(await world.recovery().reset(token, goodPassword(), meta)).to.deep.equal({ outcome: 'expired' });
        expect((await find(id))?.status).to.equal('unverified');
        world.clock.advance(86_400);
        expect(await registration.verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
        expect((await find(id))?.status).to.equal('unverified');
      });

      it('not while the account is suspended or deleted, and then as it was before', async () => {
        const { id, token } = await registered();
        const registration = world.registration();
        await world.domains.accounts.disable(id, operator);
        expect(await registration.verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
        expect((await world.domains.accounts.enable(id, operator)).status).to.equal('unverified');
        expect((await registration.verifyEmail(token, sameBrowser, meta)).outcome).to.equal('verified');
        const gone = await registered();
        await world.domains.accountData.delete(gone.id, operator);
        expect(await registration.verifyEmail(gone.token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
        await world.domains.accountData.restore(gone.id, operator);
        expect((await find(gone.id))?.status).to.equal('unverified');
        expect(await registration.verifyEmail(gone.token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
      });

      it('not when the account has another address by now', async () => {
        const { id, token } = await registered();
        await world.domains.accounts.update(id, 1, { email: newAddress() }, operator);
        expect(await world.registration().verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
        expect(await find(id)).to.deep.include({ status: 'unverified', emailVerified: false });
      });

      it('do not say "done" any more when the address was changed after it', async () => {
        const { id, token } = await registered();
        await world.registration().verifyEmail(token, sameBrowser, meta);
        await world.domains.accounts.update(id, 2, { email: newAddress() }, operator);
        expect(await world.registration().verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
      });
    });

    it('get their link again, as often as a mailbox takes, and the first one goes on working', async () => {
      const { email, token } = await registered();
      const registration = world.registration();
      for (let again = 0; again < 8; again += 1) {
        expect(await registration.resend(email)).to.deep.equal({ outcome: 'accepted' });
      }
      const mails = await world.mails(email);
      expect(mails.filter(({ status }) => status === 'pending')).to.have.length(5);
      expect(mails.filter(({ status }) => status === 'capped')).to.have.length(4);
      expect((await registration.verifyEmail(token, sameBrowser, meta)).outcome).to.equal('verified');
      const others = mails.filter((mail) => mail.token !== '' && mail.token !== token);
      expect(others).to.have.length.above(3);
      for (const other of others) {
        expect((await registration.verifyEmail(other.token, sameBrowser, meta)).outcome).to.equal('expired');
      }
    });

    it('that are verified, unknown or nonsense get the same answer to that, and no mail', async () => {
      const person = await world.person();
      const unknown = newAddress();
      for (const email of [person.email, unknown, 'nonsense', '', 'x'.repeat(100_000), '\0']) {
        expect(await world.registration().resend(email)).to.deep.equal({ outcome: 'accepted' });
      }
      expect(await world.mails(person.email)).to.deep.equal([]);
      expect(await world.mails(unknown)).to.deep.equal([]);
    });

    describe('are changed', () => {
      const start = async (to = newAddress()) => {
        const person = await world.person();
        await world.registration().changeEmail(person.id, to, meta);
        return { ...person, to, token: (await world.lastMail(to, 'change-email')).token };
      };

      it('only by the link to the new one, once; the old one is told and its links are over', async () => {
        const { id, email, to, token } = await start();
        await world.recovery().requestReset(email, meta);
        const { token: reset } = await world.lastMail(email, 'reset-password');
        expect((await find(id))?.email).to.equal(email);
        const registration = world.registration();
        expect(await registration.viewEmailChange(token)).to.deep.include({ outcome: 'usable', email: to });
        const done = { outcome: 'changed', accountId: id, email: to };
        expect(await registration.confirmEmailChange(token, meta)).to.deep.equal(done);
        expect(await registration.confirmEmailChange(token, meta)).to.deep.equal({ outcome: 'already' });
        expect(await find(id)).to.deep.include({ email: to, emailVerified: true, status: 'active' });
        expect((await world.lastMail(email, 'email-changed')).text).to.include('203.0.113.7');
        expect((await world.mails(to)).map(({ template }) => template)).to.deep.equal(['change-email']);
        expect(await world.recovery().reset(reset, goodPassword(), meta)).to.deep.equal({ outcome: 'expired' });
        expect(await world.domains.accounts.findByLogin(email)).to.equal(undefined);
      });

      it('once when 50 use one link at once', async () => {
        const { email, token } = await start();
        const registration = world.registration();
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => registration.confirmEmailChange(token, meta)),
        );
        expect(answers.filter(({ outcome }) => outcome === 'changed')).to.have.length(1);
        expect(answers.filter(({ outcome }) => outcome === 'already')).to.have.length(49);
        const told = (await world.mails(email)).filter(({ template }) => template === 'email-changed');
        expect(told).to.have.length(1);
      });

      it('with the same answer for a taken one, whose owner is told', async () => {
        const owner = await world.person();
        const person = await world.person();
        const answer = await world.registration().changeEmail(person.id, owner.email, meta);
        expect(answer).to.deep.equal({ outcome: 'accepted' });
        expect((await world.mails(owner.email)).map(({ template }) => template)).to.deep.equal([
          'registration-attempt',
        ]);
        expect((await find(person.id))?.email).to.equal(person.email);
        const links = await world.database.sql('one_time_link').where({ account_id: person.id });
        expect(links).to.have.length(0);
      });

      it('not when somebody else registered it meanwhile', async () => {
        const { id, email, to, token } = await start();
        await world.domains.accounts.create({ email: to }, operator);
        expect(await world.registration().confirmEmailChange(token, meta)).to.deep.equal({ outcome: 'taken' });
        expect((await find(id))?.email).to.equal(email);
        const told = (await world.mails(email)).map(({ template }) => template);
        expect(told, 'that it was asked for, and no more').to.deep.equal(['email-change-requested']);
      });

      it('to the last one asked for only, and not after another change', async () => {
        const { id, token } = await start();
        const second = newAddress();
        await world.registration().changeEmail(id, second, meta);
        expect((await world.registration().confirmEmailChange(token, meta)).outcome).to.equal('expired');
        const { token: good } = await world.lastMail(second, 'change-email');
        await world.domains.accounts.update(id, 1, { email: newAddress() }, operator);
        expect((await world.registration().confirmEmailChange(good, meta)).outcome).to.equal('expired');
      });

      it('not by somebody who reset the password meanwhile, nor of a stopped account, nor too late', async () => {
        const reset = await start();
        await world.recovery().requestReset(reset.email, meta);
        await world.recovery().reset((await world.lastMail(reset.email, 'reset-password')).token, goodPassword(), meta);
        const stopped = await start();
        await world.domains.accounts.disable(stopped.id, operator);
        const late = await start();
        const expectExpired = async (token: string) =>
          expect(await world.registration().confirmEmailChange(token, meta)).to.deep.equal({ outcome: 'expired' });
        await expectExpired(reset.token);
        await expectExpired(stopped.token);
        world.clock.advance(86_400);
        await expectExpired(late.token);
      });

      it('not to nothing, to the same one, or outside of the domains', async () => {
        const { id, email } = await world.person();
        const within = world.registration({ domains: ['fernhill.example'] });
        for (const [registration, to] of [
          [world.registration(), 'nobody'],
          [world.registration(), email],
          [within, newAddress()],
        ] as const) {
          const error = await refusal(registration.changeEmail(id, to, meta));
          expect(error.details.fields, to).to.have.keys('email');
        }
        await world.domains.accounts.disable(id, operator);
        expect((await refusal(world.registration().changeEmail(id, newAddress(), meta))).code).to.equal('not_found');
      });
    });

    it('forget confirmed links when they are over', async () => {
      const { token } = await registered();
      await world.registration().verifyEmail(token, sameBrowser, meta);
      const before = Number((await world.database.sql('confirmed_link').count({ n: '*' }).first())?.n);
      world.clock.advance(86_400 + 1);
      expect(await world.registration().purge()).to.be.at.least(1);
      const after = Number((await world.database.sql('confirmed_link').count({ n: '*' }).first())?.n);
      expect(after).to.be.below(before);
    });
  });
}
