import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { follow, mailed, roomy } from '../flows/entry-visitor.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { expectPage, WebClient } from '../support/web-client.ts';
import { browserOf, tokenOf, withToken } from '../web/api-caller.ts';

/** Sessions and tokens that end before the link of a mail does: so may what is remembered of their end. */
const shortLived = { SALLYPORT_SESSION_SECONDS: '3600', SALLYPORT_REFRESH_FAMILY_SECONDS: '3600' };
const operator = { kind: 'operator' } as const;

/** Asks for another address as somebody who is signed in. */
type Asking = (email: string) => Promise<unknown>;

/** Whoever has a session asks for another address at the very moment at which its owner takes the account back. */
for (const lane of emptiestAndFullest()) {
  describe(`a change of address that is asked for while the account is taken back, on ${lane.name}`, function () {
    this.timeout(60_000);
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    before(async () => {
      server = stack.use(await startApp({ ...(await lane.env(stack)), ...roomy, ...shortLived }));
    });
    after(() => stack.disposeAsync());

    const addressOf = async ({ account }: Person) => (await server.app.domains.accounts.find(account.id))?.email;
    const open = async (path: string) => follow(new WebClient(server.url), path).catch(() => undefined);
    const linkTo = async (email: string) => (await mailed(server, email, 'change-email')).path;

    async function reset({ login, account }: Person, password = goodPassword()): Promise<string> {
      await server.app.domains.recovery.requestReset(login, {});
      const { token } = await mailed(server, account.email, 'reset-password');
      expect((await server.app.domains.recovery.reset(token, password, {})).outcome).to.equal('done');
      return password;
    }

    /** A request that was let in before something happened, and writes after it. */
    async function held(ask: Asking, email: string, happens: () => Promise<unknown>): Promise<string> {
      const { registration } = server.app.domains;
      const { changeEmail } = registration;
      let signedInAt: number | undefined;
      registration.changeEmail = async (...given) => {
        signedInAt = given[3];
        await happens();
        return changeEmail(...given);
      };
      try {
        await ask(email);
      } finally {
        registration.changeEmail = changeEmail;
      }
      expect(signedInAt, 'when the caller signed in').to.be.within(Date.now() - 60_000, Date.now());
      return linkTo(email);
    }

    const doors: Record<string, (person: Person) => Promise<Asking>> = {
      'a page of the console': async (person) => {
        const web = new WebClient(server.url);
        await signIn(web, await web.open('/account/profile/email'), person);
        const page = expectPage(await web.open('/account/profile/email'), 'account-email');
        return (email) => web.submit(page, { email, action: 'continue' }, 'email');
      },
      'a browser at the API': async (person) => {
        const { ask } = await browserOf(server, person);
        return (email) => ask('POST', '/me/email', { email });
      },
      'a token at the API': async (person) => {
        const ask = withToken(server, await tokenOf(server, person));
        return (email) => ask('POST', '/me/email', { email });
      },
    };

    for (const [door, enter] of Object.entries(doors)) {
      it(`is over when the password was reset, by ${door}`, async () => {
        const [person, evil] = [await createPerson(server), newAddress()];
        await open(await held(await enter(person), evil, () => reset(person)));
        expect(await addressOf(person)).to.equal(person.account.email);
      });
    }

    it('is over in each of some races with the reset', async () => {
      const rounds = 5;
      for (let round = 0; round < rounds; round += 1) {
        const person = await createPerson(server);
        const { ask } = await browserOf(server, person);
        const addresses = Array.from({ length: 5 }, () => newAddress());
        const asked = addresses.map(async (email, index) => {
          await delay(15 + round * 24 + index * 7);
          await ask('POST', '/me/email', { email });
        });
        await Promise.all([reset(person), ...asked]);
        for (const email of addresses) await open(await linkTo(email));
        expect(await addressOf(person), `round ${round}`).to.equal(person.account.email);
      }
    });

    it('is over when an operator set another password or disabled the account for a while', async () => {
      const { accounts, credentials } = server.app.domains;
      const enter = doors['a browser at the API'] ?? expect.fail();
      const takings: ((person: Person) => Promise<unknown>)[] = [
        ({ account }) => credentials.setPassword(account.id, goodPassword(), { actor: operator }),
        async ({ account }) => {
          await accounts.disable(account.id, operator);
          await accounts.enable(account.id, operator);
        },
      ];
      for (const taking of takings) {
        const [person, evil] = [await createPerson(server), newAddress()];
        await open(await held(await enter(person), evil, () => taking(person)));
        expect(await addressOf(person)).to.equal(person.account.email);
      }
    });

    it('is over as of the moment at which the caller signed in, whenever the link is written', async () => {
      const { changeEmail } = server.app.domains.registration;
      const [person, evil, good] = [await createPerson(server), newAddress(), newAddress()];
      const before = Date.now();
      await reset(person);
      await changeEmail(person.account.id, evil, {}, before);
      await open(await linkTo(evil));
      expect(await addressOf(person)).to.equal(person.account.email);
      await changeEmail(person.account.id, good, {}, Date.now());
      await open(await linkTo(good));
      expect(await addressOf(person)).to.equal(good);
    });

    it('is over as of the moment at which a link was made that does not say more', async () => {
      const { registration, revocations } = server.app.domains;
      const [person, evil, good] = [await createPerson(server), newAddress(), newAddress()];
      const { id } = person.account;
      const { sql } = server.app.database;
      const older = async (email: string) => {
        await registration.changeEmail(id, email);
        await sql('one_time_link')
          .where({ account_id: id, email })
          .update({ data: { from: person.account.email } });
        return linkTo(email);
      };
      const path = await older(evil);
      await revocations.revoke({ kind: 'account', id, reason: 'a test' });
      await open(path);
      expect(await addressOf(person)).to.equal(person.account.email);
      await secondOver();
      await open(await older(good));
      expect(await addressOf(person)).to.equal(good);
    });

    it('is over for as long as a link to it works', async () => {
      const person = await createPerson(server);
      const { changeEmail } = server.app.domains.registration;
      await reset(person);
      await changeEmail(person.account.id, newAddress());
      const { expires_at: until } = await server.app.database
        .sql('one_time_link')
        .where({ account_id: person.account.id, purpose: 'change-email' })
        .first('expires_at');
      const [ended] = await server.app.domains.revocations.list({ kind: 'account', id: person.account.id });
      expect(ended?.expiresAt).to.be.above(until.getTime());
    });

    it('is the owner’s again after a sign-in with the new password', async () => {
      const [person, fresh] = [await createPerson(server), newAddress()];
      const password = await reset(person);
      await secondOver();
      const { ask } = await browserOf(server, { ...person, password });
      expect((await ask('POST', '/me/email', { email: fresh })).status).to.equal(202);
      await open(await linkTo(fresh));
      expect(await addressOf(person)).to.equal(fresh);
    });

    it('goes on for whoever changes the own password in a session that stays', async () => {
      const [person, fresh] = [await createPerson(server), newAddress()];
      const { ask } = await browserOf(server, person);
      const change = { current_password: person.password, new_password: goodPassword() };
      expect((await ask('POST', '/me/password', change)).status).to.equal(204);
      expect((await ask('POST', '/me/email', { email: fresh })).status).to.equal(202);
      await open(await linkTo(fresh));
      expect(await addressOf(person)).to.equal(fresh);
    });

    it('is no matter for an operator, who needs no link', async () => {
      const { accounts } = server.app.domains;
      const [person, fresh] = [await createPerson(server), newAddress()];
      await reset(person);
      const { version = 0 } = (await accounts.find(person.account.id)) ?? {};
      await accounts.update(person.account.id, version, { email: fresh, emailVerified: true }, operator);
      expect(await addressOf(person)).to.equal(fresh);
    });
  });
}
