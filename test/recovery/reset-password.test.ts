import { expect } from 'chai';
import { generate } from 'otplib';
import type { AccountId } from '../../src/shared/ids.ts';
import {
  createWorld,
  goodPassword,
  meta,
  newAddress,
  operator,
  sameBrowser,
  type World,
} from '../registration/fixture.ts';
import { sqlLanes } from '../support/database.ts';

for (const lane of sqlLanes()) {
  describe(`a password reset on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    const ask = async (email: string, login = email) => {
      expect(await world.recovery().requestReset(login, meta)).to.deep.equal({ outcome: 'accepted' });
      return (await world.lastMail(email, 'reset-password')).token;
    };
    const has = (id: AccountId, password: string) => world.domains.credentials.verifyPassword(id, password);
    const templates = async (email: string) => (await world.mails(email)).map(({ template }) => template);
    const accessEnded = (id: AccountId) => world.domains.revocations.isRevoked([{ kind: 'account', id }]);

    it('sets the password once, ends access, tells the owner and leaves the second factor', async () => {
      const { id, email, password } = await world.person();
      const { secret } = await world.domains.credentials.totp.begin(id, 'x');
      const code = await generate({ secret, epoch: Math.floor(world.clock.now() / 1000) });
      expect(await world.domains.credentials.totp.confirm(id, code)).to.equal(true);
      const token = await ask(email);
      expect(await world.recovery().viewReset(token)).to.deep.include({ outcome: 'usable', secondFactor: true });
      expect(await accessEnded(id)).to.equal(false);
      const next = goodPassword();
      const done = { outcome: 'done', accountId: id, secondFactor: true };
      expect(await world.recovery().reset(token, next, meta)).to.deep.equal(done);
      expect([await has(id, next), await has(id, password)]).to.deep.equal([true, false]);
      expect(await world.domains.credentials.factorsOf(id)).to.deep.include({ totp: true });
      expect(await accessEnded(id)).to.equal(true);
      expect((await templates(email)).filter((one) => one === 'password-changed')).to.have.length(1);
      expect(await world.recovery().reset(token, goodPassword(), meta)).to.deep.equal({ outcome: 'expired' });
      expect(await has(id, next)).to.equal(true);
    });

    it('is done by one of 50 at once', async () => {
      const { id, email } = await world.person();
      const token = await ask(email);
      const passwords = Array.from({ length: 50 }, goodPassword);
      const answers = await Promise.all(passwords.map((one) => world.recovery().reset(token, one, meta)));
      const won = answers.findIndex(({ outcome }) => outcome === 'done');
      expect(answers.filter(({ outcome }) => outcome === 'expired')).to.have.length(49);
      expect(await has(id, passwords[won] ?? '')).to.equal(true);
      const events = await world.domains.audit.list({ subject: id, type: 'password.reset', limit: 99 });
      expect(events).to.have.length(1);
    });

    it('uses nothing up when the password is refused, and says why', async () => {
      const { id, email, password } = await world.person();
      const token = await ask(email);
      const refused = await world.recovery().reset(token, 'short', meta);
      expect(refused.outcome === 'refused' && refused.reasons.map(({ code }) => code)).to.include('too_short');
      const same = await world.recovery().reset(token, password, meta);
      expect(same.outcome === 'refused' && same.reasons.map(({ code }) => code)).to.include('used_before');
      expect(await accessEnded(id)).to.equal(false);
      expect((await world.recovery().reset(token, goodPassword(), meta)).outcome).to.equal('done');
    });

    it('ends all other links, a change of address among them', async () => {
      const { id, email } = await world.person();
      const [first, second] = [await ask(email), await ask(email)];
      const to = newAddress();
      await world.registration().changeEmail(id, to, meta);
      expect((await world.recovery().viewReset(first)).outcome).to.equal('usable');
      expect((await world.recovery().reset(second, goodPassword(), meta)).outcome).to.equal('done');
      expect((await world.recovery().reset(first, goodPassword(), meta)).outcome).to.equal('expired');
      const { token } = await world.lastMail(to, 'change-email');
      expect((await world.registration().confirmEmailChange(token, meta)).outcome).to.equal('expired');
    });

    it('confirms the address of an unverified account and unlocks a locked one', async () => {
      const email = newAddress();
      await world.registration().register({ email, password: goodPassword() }, meta);
      const made = await world.domains.accounts.findByLogin(email);
      const person = await world.person();
      await world.domains.accountLife.lock(person.id, operator);
      expect(await accessEnded(person.id)).to.equal(true);
      for (const [id, address] of [
        [made?.id as AccountId, email],
        [person.id, person.email],
      ] as const) {
        const token = await ask(address);
        expect((await world.recovery().reset(token, goodPassword(), meta)).outcome).to.equal('done');
        expect(await world.domains.accounts.find(id)).to.deep.include({ status: 'active', emailVerified: true });
      }
    });

    it('takes the registration of somebody else with my address away from them', async () => {
      const [email, theirs, mine] = [newAddress(), goodPassword(), goodPassword()];
      await world.registration().register({ email, password: theirs }, meta);
      const { token: confirm } = await world.lastMail(email, 'verify-email');
      await world.recovery().reset(await ask(email), mine, meta);
      const id = (await world.domains.accounts.findByLogin(email))?.id as AccountId;
      expect([await has(id, theirs), await has(id, mine)]).to.deep.equal([false, true]);
      expect((await world.registration().verifyEmail(confirm, sameBrowser, meta)).outcome).to.equal('expired');
    });

    it('helps nobody whom an operator stopped, whenever that was', async () => {
      for (const stop of ['disable', 'delete'] as const) {
        const { id, email, password } = await world.person();
        const token = await ask(email);
        if (stop === 'disable') await world.domains.accounts.disable(id, operator);
        else await world.domains.accountData.delete(id, operator);
        expect((await world.recovery().viewReset(token)).outcome, stop).to.equal('expired');
        expect((await world.recovery().reset(token, goodPassword(), meta)).outcome, stop).to.equal('expired');
        await world.recovery().requestReset(email, meta);
        expect((await templates(email)).filter((one) => one === 'reset-password')).to.have.length(1);
        expect(await has(id, password)).to.equal(true);
      }
    });

    it('works for an hour, for the address that it was mailed to, and with no other token', async () => {
      const late = await world.person();
      const lateToken = await ask(late.email);
      const moved = await world.person();
      const movedToken = await ask(moved.email);
      await world.domains.accounts.update(moved.id, 1, { email: newAddress() }, operator);
      expect((await world.recovery().reset(movedToken, goodPassword(), meta)).outcome).to.equal('expired');
      const email = newAddress();
      await world.registration().register({ email, password: goodPassword() }, meta);
      const { token: verify } = await world.lastMail(email, 'verify-email');
      for (const wrong of [verify, '', 'x'.repeat(43), `${lateToken}x`, '\0']) {
        expect((await world.recovery().reset(wrong, goodPassword(), meta)).outcome).to.equal('expired');
      }
      expect((await world.registration().verifyEmail(lateToken, sameBrowser, meta)).outcome).to.equal('expired');
      world.clock.advance(3_600);
      expect((await world.recovery().reset(lateToken, goodPassword(), meta)).outcome).to.equal('expired');
    });

    it('ends access and tells the owner also when it sets the first password', async () => {
      const email = newAddress();
      const { id } = await world.domains.accounts.create({ email, emailVerified: true }, operator);
      expect((await world.recovery().reset(await ask(email), goodPassword(), meta)).outcome).to.equal('done');
      expect(await accessEnded(id)).to.equal(true);
      expect(await templates(email)).to.include('password-changed');
    });

    it('is asked for by the username too, and answers anything', async () => {
      const username = `u${newAddress().slice(1, 10)}`;
      const { email } = await world.person({ username });
      await ask(email, username.toUpperCase());
      for (const login of ['', 'nobody', newAddress(), 'x'.repeat(100_000), '\0', '\ud800', "' or 1=1 --"]) {
        expect(await world.recovery().requestReset(login, meta)).to.deep.equal({ outcome: 'accepted' });
      }
    });

    it('does the same queries whether there is an account or not', async () => {
      const { id, email } = await world.person();
      await world.domains.accounts.find(id);
      const queriesOf = async (login: string): Promise<string[]> => {
        const seen: string[] = [];
        const note = ({ sql }: { sql: string }): void => void seen.push(sql);
        const { database } = world;
        const pool = database.sql;
        // Hot statements go past knex.
        const { query } = database;
        const noted: typeof query = (hot, values) => {
          seen.push(hot.text);
          return query(hot, values);
        };
        pool.on('query', note);
        Object.assign(database, { query: noted });
        await world.recovery().requestReset(login, meta);
        Object.assign(database, { query });
        pool.off('query', note);
        return seen;
      };
      const known = await queriesOf(email);
      expect(known.length).to.be.greaterThan(4);
      expect(await queriesOf(newAddress())).to.deep.equal(known);
      await world.domains.accounts.disable(id, operator);
      expect(await queriesOf(email)).to.deep.equal(known);
    });
  });
}
