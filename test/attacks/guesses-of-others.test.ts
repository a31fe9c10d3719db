import { expect } from 'chai';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { expectPage, WebClient } from '../support/web-client.ts';
import { browserOf, withToken } from '../web/api-caller.ts';
import { House } from './house.ts';

const next = 'seven quiet lamps over water';

for (const lane of emptiestAndFullest()) {
  describe(`the guesses of somebody else on ${lane.name}`, function () {
    this.timeout(60_000);
    let house: House;
    const stack = new AsyncDisposableStack();

    before(async () => {
      const limits = { SALLYPORT_LOCKOUT_TRIES: '3', SALLYPORT_LIMIT_SIGN_IN: '1000', SALLYPORT_EMAIL_STEP: 'off' };
      house = await House.open({ ...(await lane.env(stack)), ...limits });
    });
    after(async () => {
      await house?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    /** Wrong passwords in another browser, until it is told to wait. */
    const lockOut = async (person: Person): Promise<void> => {
      for (let tries = 0; tries < 3; tries += 1) {
        const { web, page } = await house.visit();
        await signIn(web, page, { ...person, password: 'a guess' });
      }
      const { web, page } = await house.visit();
      expect(expectPage(await signIn(web, page, person), 'login').status).to.equal(429);
    };

    it('do not keep a person from a new password in a browser that the account knows', async () => {
      const person = await createPerson(house.server);
      const web = new WebClient(house.server.url);
      const page = expectPage(await signIn(web, await web.open('/account/password'), person), 'account-password');
      await lockOut(person);
      const typed = { 'current-password': person.password, 'new-password': next, action: 'continue' };
      const done = await web.submit(page, typed, 'new-password');
      expectPage(done, 'account-overview');
    });

    it('do not keep a page of ours from it either', async () => {
      const person = await createPerson(house.server);
      const { ask } = await browserOf(house.server, person);
      await lockOut(person);
      const change = { current_password: person.password, new_password: next };
      expect((await ask('POST', '/me/password', change)).status).to.equal(204);
    });

    it('do not keep a known installation of an app from it, and still keep one that is not known', async () => {
      const { server } = house;
      const resource = `${server.url}/api/v1`;
      const app = await DirectClient.register(server, { apis: { [resource]: [] } });
      const order = { resource, scope: 'account:read account:security' };
      for (const [device, status] of [
        [{ device_token: 'new' }, 204],
        [{}, 429],
      ] as const) {
        const person = await createPerson(server);
        const { body } = await app.login(person, { ...order, ...device });
        await lockOut(person);
        const change = { current_password: person.password, new_password: next };
        const answer = await withToken(server, textOf(body, 'access_token'))('POST', '/me/password', change);
        expect(answer.status, JSON.stringify(device)).to.equal(status);
      }
    });
  });

  describe(`the guesses of somebody else at the same address on ${lane.name}`, function () {
    this.timeout(60_000);
    let house: House;
    const stack = new AsyncDisposableStack();

    before(async () => {
      const limits = { SALLYPORT_LOCKOUT_TRIES: '50', SALLYPORT_LIMIT_SIGN_IN: '2', SALLYPORT_EMAIL_STEP: 'off' };
      house = await House.open({ ...(await lane.env(stack)), ...limits });
    });
    after(async () => {
      await house?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const tryIn = async (web: WebClient, person: Person): Promise<number> =>
      (await signIn(web, (await house.visit(web)).page, person)).status;
    const wrong = (person: Person): Person => ({ ...person, password: 'a guess' });
    const signedOut = (device: string | undefined): WebClient => {
      const web = new WebClient(house.server.url);
      if (device !== undefined) web.setCookie('sp_device', device);
      return web;
    };
    /** The device cookie of a browser in which somebody has signed in. */
    const deviceOf = async (person: Person): Promise<string | undefined> => {
      const web = signedOut(undefined);
      expect(await tryIn(web, person)).to.equal(303);
      return web.cookies().get('sp_device') ?? expect.fail('no device');
    };
    const fill = async (person: Person): Promise<void> => {
      for (let tries = 0; tries < 2; tries += 1) expect(await tryIn(signedOut(undefined), wrong(person))).to.equal(422);
      expect(await tryIn(signedOut(undefined), person)).to.equal(429);
    };

    it('do not keep a person out of a browser that the account knows, and of no other one', async () => {
      const [person, other] = [await createPerson(house.server), await createPerson(house.server)];
      const [mine, theirs] = [await deviceOf(person), await deviceOf(other)];
      await fill(person);
      expect(await tryIn(signedOut('a'.repeat(22)), person), 'a made-up device').to.equal(429);
      expect(await tryIn(signedOut(theirs), person), 'a device of another account').to.equal(429);
      expect(await tryIn(signedOut(mine), person)).to.equal(303);
      expect(await tryIn(signedOut(mine), { ...person, login: person.account.email })).to.equal(303);
    });

    it('do not keep a known installation of an app out either', async () => {
      const person = await createPerson(house.server);
      const { body } = await house.direct.login(person, { device_token: 'new' });
      await fill(person);
      expect((await house.direct.login(person)).status).to.equal(429);
      expect((await house.direct.login(person, { device_token: textOf(body, 'device_token') })).status).to.equal(200);
    });

    it('are no more in a known browser than anywhere else', async () => {
      const person = await createPerson(house.server);
      const mine = await deviceOf(person);
      const statuses = [];
      for (let tries = 0; tries < 6; tries += 1) statuses.push(await tryIn(signedOut(mine), wrong(person)));
      expect(statuses).to.deep.equal([422, 422, 429, 429, 429, 429]);
      const second = await createPerson(house.server);
      const again = await deviceOf(second);
      await fill(second);
      const later = [];
      for (let tries = 0; tries < 4; tries += 1) later.push(await tryIn(signedOut(again), wrong(second)));
      expect(later).to.deep.equal([422, 422, 429, 429]);
    });
  });

  describe(`wrong tries before a new password on ${lane.name}`, function () {
    this.timeout(60_000);
    let house: House;
    const stack = new AsyncDisposableStack();

    before(async () => {
      const limits = { SALLYPORT_LOCKOUT_TRIES: '3', SALLYPORT_LIMIT_SIGN_IN: '3', SALLYPORT_EMAIL_STEP: 'off' };
      house = await House.open({ ...(await lane.env(stack)), ...limits });
    });
    after(async () => {
      await house?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const resets = {
      'on the page': async (person: Person) => {
        const { domains } = house.server.app;
        await domains.recovery.requestReset(person.login, {});
        const token = await house.mailed(person, /\/account\/reset-password\?token=([\w-]+)/);
        const web = new WebClient(house.server.url);
        const page = expectPage(await web.open(`/account/reset-password?token=${token}`), 'reset-password');
        const done = await web.submit(page, { 'new-password': next, action: 'continue' }, 'new-password');
        expect(done.status).to.equal(200);
      },
      'by JSON': async (person: Person) => {
        const { status } = await house.direct.post('password/forgot', { username: person.login, client_id: undefined });
        expect(status).to.equal(202);
        const token = await house.mailed(person, /\/account\/reset-password\?token=([\w-]+)/);
        const reset = await house.direct.post('password/reset', { token, password: next, client_id: undefined });
        expect(reset.status, JSON.stringify(reset.body)).to.equal(204);
      },
      'by the link of an operator': async (person: Person) => {
        const { recovery } = house.server.app.domains;
        const options = { lost: 'password', delivery: 'hand' } as const;
        const { path = '' } = await recovery.issueLink(person.account.id, { kind: 'operator' }, options);
        const web = new WebClient(house.server.url);
        const page = expectPage(await web.open(path), 'recover');
        const done = await web.submit(page, { 'new-password': next, action: 'continue' }, 'new-password');
        expect(done.status).to.equal(200);
      },
    };
    for (const [how, reset] of Object.entries(resets)) {
      it(`keep nobody waiting who has it ${how}`, async () => {
        const person = await createPerson(house.server);
        const names = [person.login, person.account.email];
        for (const login of names) {
          for (let tries = 0; tries < 3; tries += 1) {
            const { web, page } = await house.visit();
            expect((await signIn(web, page, { login, password: 'forgotten' })).status).to.equal(422);
          }
          const { web, page } = await house.visit();
          expect((await signIn(web, page, { ...person, login })).status).to.equal(429);
        }
        await reset(person);
        await secondOver();
        for (const login of names) {
          const { web, page } = await house.visit();
          expect((await signIn(web, page, { login, password: next })).status, login).to.equal(303);
        }
      });
    }
  });
}
