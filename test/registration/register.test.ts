import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { refusal } from '../support/refusal.ts';
import { createWorld, goodPassword, meta, newAddress, operator, sameBrowser, type World } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`registration on ${lane}`, () => {
    let world: World;
    before(async () => {
      world = await createWorld(lane);
    });
    after(() => world[Symbol.asyncDispose]());

    const statusOf = async (email: string) => (await world.domains.accounts.findByLogin(email))?.status;
    const sum = async (table: string) => Number((await world.database.sql(table).count({ n: '*' }).first())?.n);

    it('makes an account that waits for its address, with the password, and mails the link', async () => {
      const [email, password] = [newAddress(), goodPassword()];
      const username = `u${randomText(8)}`;
      const input = { email, username, password, profile: { name: 'Mara Lindgren' }, locale: 'de-DE' };
      expect(await world.registration().register(input, meta)).to.deep.equal({ outcome: 'accepted' });
      const account = await world.domains.accounts.findByLogin(email);
      expect(account).to.deep.include({
        status: 'unverified',
        emailVerified: false,
        username,
        roles: [],
        profile: { name: 'Mara Lindgren', locale: 'de-DE' },
      });
      expect(await world.domains.credentials.verifyPassword(account?.id, password)).to.equal(true);
      expect((await world.mails(email)).map(({ template }) => template)).to.deep.equal(['verify-email']);
      const [created] = await world.domains.audit.list({
        subject: account?.id ?? '',
        type: 'account.created',
        limit: 1,
      });
      expect(created?.actor).to.deep.equal({ kind: 'stranger' });
    });

    it('answers a taken address the same, changes nothing and tells its owner', async () => {
      const owner = await world.person();
      const before = await world.domains.accounts.find(owner.id);
      for (const email of [owner.email, owner.email.toUpperCase(), owner.email.replace('@people', '@\uff30eople')]) {
        const input = { email, password: goodPassword(), profile: { name: 'Somebody Else' } };
        expect(await world.registration().register(input, meta)).to.deep.equal({ outcome: 'accepted' });
      }
      expect(await world.domains.accounts.find(owner.id)).to.deep.equal(before);
      expect(await world.domains.credentials.verifyPassword(owner.id, owner.password)).to.equal(true);
      const mails = await world.mails(owner.email);
      expect(mails.map(({ template }) => template)).to.deep.equal(Array(3).fill('registration-attempt'));
      expect(mails[0]?.text).to.include('203.0.113.7');
    });

    it('mails nobody whom an operator stopped or who is going', async () => {
      for (const stop of ['disable', 'delete'] as const) {
        const owner = await world.person();
        if (stop === 'disable') await world.domains.accounts.disable(owner.id, operator);
        else await world.domains.accountData.delete(owner.id, operator);
        await world.registration().register({ email: owner.email, password: goodPassword() }, meta);
        const templates = (await world.mails(owner.email)).map(({ template }) => template);
        expect(templates, stop).not.to.include('registration-attempt');
        expect(await statusOf(owner.email)).to.equal(stop === 'disable' ? 'suspended' : 'deleted');
      }
    });

    it('makes one account of 50 registrations of one address at once, each with the same answer', async () => {
      const name = randomText(10);
      const forms = [`zo\u00eb.${name}@people.example`, `ZOE\u0308.${name}@PEOPLE.example`];
      const registration = world.registration();
      const passwords = Array.from({ length: 50 }, goodPassword);
      const answers = await Promise.all(
        passwords.map((password, index) => registration.register({ email: forms[index % 2] ?? '', password }, meta)),
      );
      expect(answers).to.deep.equal(Array(50).fill({ outcome: 'accepted' }));
      const found = await world.database.sql('account').whereLike('email_key', `%.${name}@people.example`);
      expect(found).to.have.length(1);
      const fits = await Promise.all(
        passwords.map((password) => world.domains.credentials.verifyPassword(found[0].id, password)),
      );
      expect(fits.filter(Boolean)).to.have.length(1);
      const answered = (await world.mails(found[0].email)).map(({ template }) => template);
      expect(new Set(answered)).to.deep.equal(new Set(['verify-email']));
    });

    it('leaves a taken username out and tells only the one who confirmed an address', async () => {
      const username = `u${randomText(8)}`;
      const owner = await world.person({ username });
      const email = newAddress();
      const input = { email, username: username.toUpperCase(), password: goodPassword(), ...sameBrowser };
      expect(await world.registration().register(input, meta)).to.deep.equal({ outcome: 'accepted' });
      const made = await world.domains.accounts.findByLogin(email);
      expect(made?.username).to.equal(undefined);
      expect((await world.domains.accounts.findByLogin(username))?.id).to.equal(owner.id);
      const { token } = await world.lastMail(email, 'verify-email');
      expect(await world.registration().verifyEmail(token, sameBrowser, meta)).to.deep.include({ usernameTaken: true });
    });

    it('refuses a bad password with its reasons, for free and taken addresses alike, and makes nothing', async () => {
      const owner = await world.person();
      const email = newAddress();
      const before = [await sum('account'), await sum('outbox'), await sum('one_time_link')];
      const answers = [];
      for (const address of [email, owner.email]) {
        answers.push(await world.registration().register({ email: address, password: 'password1' }, meta));
      }
      expect(answers[0]).to.deep.equal(answers[1]);
      expect(answers[0]?.outcome).to.equal('refused');
      const [first] = answers;
      expect(first?.outcome === 'refused' && first.reasons.map(({ code }) => code)).to.include('too_short');
      expect([await sum('account'), await sum('outbox'), await sum('one_time_link')]).to.deep.equal(before);
    });

    it('refuses a password that consists of the name, the username or the address', async () => {
      const name = `quentin${randomText(10)}`;
      const email = `${name}@people.example`;
      const answer = await world.registration().register({ email, password: `${name}${name}` }, meta);
      expect(answer.outcome === 'refused' && answer.reasons.map(({ code }) => code)).to.include('personal_word');
    });

    const broken: [string, Record<string, unknown>, string][] = [
      ['an address that is none', { email: 'nobody' }, 'email'],
      ['two addresses', { email: 'a@people.example,b@people.example' }, 'email'],
      ['a username like an address', { username: 'a@people.example' }, 'username'],
      ['a claim that does not exist', { profile: { sub: 'acc_1' } }, 'profile.sub'],
    ];
    for (const [what, extra, field] of broken) {
      it(`refuses ${what}`, async () => {
        const input = { email: newAddress(), password: goodPassword(), ...extra };
        const error = await refusal(world.registration().register(input, meta));
        expect(error.code).to.equal('invalid_input');
        expect(error.details.fields).to.have.any.keys(field);
      });
    }

    it('takes no role, status or id from the form', async () => {
      const email = newAddress();
      const input = {
        email,
        password: goodPassword(),
        roles: ['admin'],
        status: 'active',
        id: 'acc_1',
        emailVerified: true,
      };
      await world.registration().register(input, meta);
      const made = await world.domains.accounts.findByLogin(email);
      expect(made).to.deep.include({ roles: [], status: 'unverified', emailVerified: false });
    });

    it('can be off, and can be for some domains, whatever their form', async () => {
      const input = { email: newAddress(), password: goodPassword() };
      expect((await refusal(world.registration({ mode: 'off' }).register(input, meta))).code).to.equal('forbidden');
      const some = world.registration({ domains: ['B\u00fccher.example', 'fernhill.example'] });
      const elsewhere = await refusal(some.register(input, meta));
      expect(elsewhere.details.fields).to.have.keys('email');
      const within = await refusal(some.register({ ...input, email: `x${randomText(8)}@sub.fernhill.example` }, meta));
      expect(within.details.fields).to.have.keys('email');
      for (const host of ['FERNHILL.example', 'b\u00fccher.example', 'xn--bcher-kva.example']) {
        const email = `x${randomText(8)}@${host}`;
        expect(await some.register({ ...input, email }, meta), host).to.deep.equal({ outcome: 'accepted' });
      }
    });

    it('does what differs between a free and a taken address behind the answer time', async () => {
      const owner = await world.person();
      let [running, done] = [0, 0];
      const watched = world.registration({}, async (work) => {
        running += 1;
        const result = await work();
        running -= 1;
        done += 1;
        return result;
      });
      const seen: number[] = [];
      // Whatever an earlier test has still under way is not of this one.
      const own = new AsyncLocalStorage<true>();
      const note = (): void => {
        if (own.getStore()) seen.push(running);
      };
      const pool = world.database.sql;
      for (const email of [newAddress(), owner.email]) {
        pool.on('query', note);
        await own.run(true, () => watched.register({ email, password: goodPassword() }, meta));
        pool.off('query', note);
      }
      expect(done).to.equal(2);
      expect(seen.length).to.be.greaterThan(5);
      expect(new Set(seen), 'no query before or after').to.deep.equal(new Set([1]));
    });

    describe('invitations', () => {
      const invite = async (email: string, roles: string[] = []) => {
        const registration = world.registration({ mode: 'invite' });
        await registration.invite({ email, roles }, operator, meta);
        return { registration, token: (await world.lastMail(email, 'invitation')).token };
      };

      it('register their address, with their roles, once', async () => {
        const email = newAddress();
        const { registration, token } = await invite(email, ['support']);
        expect((await registration.viewInvitation(token))?.email).to.equal(email);
        const input = { email: email.toUpperCase(), password: goodPassword(), invitation: token };
        expect(await registration.register(input, meta)).to.deep.equal({ outcome: 'accepted' });
        expect(await world.domains.accounts.findByLogin(email)).to.deep.include({
          roles: ['support'],
          status: 'unverified',
        });
        expect((await refusal(registration.register(input, meta))).code).to.equal('expired');
      });

      it('take the address back from a stranger who registered it, and are not used up by an owner', async () => {
        const open = world.registration();
        const email = newAddress();
        await open.invite({ email, roles: ['support'] }, operator, meta);
        const { token } = await world.lastMail(email, 'invitation');
        const theirs = goodPassword();
        await open.register({ email, password: theirs }, meta);
        const stolen = await world.domains.accounts.findByLogin(email);
        const mine = goodPassword();
        await open.register({ email, password: mine, invitation: token, ...sameBrowser }, meta);
        const account = await world.domains.accounts.findByLogin(email);
        expect(account?.id).not.to.equal(stolen?.id);
        expect(account).to.deep.include({ roles: ['support'], status: 'unverified' });
        const { token: link } = await world.lastMail(email, 'verify-email');
        expect((await open.verifyEmail(link, sameBrowser, meta)).outcome).to.equal('verified');
        expect(await world.domains.credentials.verifyPassword(account?.id, mine)).to.equal(true);
        const other = newAddress();
        await open.invite({ email: other }, operator, meta);
        const { token: second } = await world.lastMail(other, 'invitation');
        await world.domains.accounts.create({ email: other }, operator);
        await open.register({ email: other, password: goodPassword(), invitation: second }, meta);
        expect(await open.viewInvitation(second)).not.to.equal(undefined);
      });

      it('are for no other address, and are needed', async () => {
        const { registration, token } = await invite(newAddress());
        const input = { email: newAddress(), password: goodPassword() };
        expect((await refusal(registration.register(input, meta))).code).to.equal('forbidden');
        const other = await refusal(registration.register({ ...input, invitation: token }, meta));
        expect(other.details.fields).to.have.keys('email');
        expect(await registration.viewInvitation(token)).not.to.equal(undefined);
      });

      it('make one account when 50 come with one of them', async () => {
        const email = newAddress();
        const { registration, token } = await invite(email);
        const tries = await Promise.allSettled(
          Array.from({ length: 50 }, () =>
            registration.register({ email, password: goodPassword(), invitation: token }, meta),
          ),
        );
        expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        expect(await statusOf(email)).to.equal('unverified');
      });

      it('end after a week, and are worth nothing as another link', async () => {
        const email = newAddress();
        const { registration, token } = await invite(email);
        expect(await registration.verifyEmail(token, sameBrowser, meta)).to.deep.equal({ outcome: 'expired' });
        expect(await registration.confirmEmailChange(token, meta)).to.deep.equal({ outcome: 'expired' });
        world.clock.advance(7 * 86_400 + 1);
        const input = { email, password: goodPassword(), invitation: token };
        expect((await refusal(registration.register(input, meta))).code).to.equal('expired');
      });

      it('go to nobody who has an account, and to nobody when registration is off', async () => {
        const owner = await world.person();
        const taken = await refusal(world.registration().invite({ email: owner.email }, operator));
        expect(taken.code).to.equal('conflict');
        const off = await refusal(world.registration({ mode: 'off' }).invite({ email: newAddress() }, operator));
        expect(off.code).to.equal('forbidden');
      });
    });
  });
}
