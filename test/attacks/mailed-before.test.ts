import { expect } from 'chai';
import { follow, mailed } from '../flows/entry-visitor.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { secondOver } from '../support/second-over.ts';
import { type Page, signInBase, WebClient } from '../support/web-client.ts';
import { House, type Resident } from './house.ts';

const operator = { kind: 'operator' } as const;

/** Whoever could read the mailbox has asked for a way in; then the account is taken back, or its address changes. */
for (const kind of ['code', 'link'] as const) {
  describe(`a ${kind} that was mailed to sign in with, before its account was taken back`, function () {
    this.timeout(30_000);
    let house: House;
    before(async () => {
      house = await House.open({ SALLYPORT_EMAIL_STEP: 'off', SALLYPORT_EMAIL_SIGN_IN: kind });
    });
    after(() => house?.[Symbol.asyncDispose]());

    /** Asks for the mail, lets something happen, and uses it. */
    async function use(happens: (person: Resident) => Promise<unknown>): Promise<Page> {
      const person = await house.resident('nothing');
      const { web, page } = await house.visit();
      const form = await web.open(`${signInBase(page)}/email`);
      const sent = await web.submit(form, { username: person.login, action: 'continue' }, 'username');
      const secret = await house.mailed(person, kind === 'code' ? /^(\d{8})$/m : /(\/sign-in\/\S+token=\S+)/);
      await happens(person);
      await secondOver();
      if (kind === 'code') return web.submit(sent, { code: secret, action: 'continue' }, 'code');
      const opened = await web.open(secret);
      return opened.text.includes('name="token"') ? web.submit(opened, { action: 'continue' }, 'token') : opened;
    }
    const isIn = (page: Page): boolean => page.url.searchParams.has('code');

    it('opens the door when nothing happens', async () => {
      expect(isIn(await use(async () => undefined))).to.equal(true);
    });

    it('opens nothing after a reset of the password', async () => {
      const end = await use(async ({ login, account }) => {
        await house.server.app.domains.recovery.requestReset(login, {});
        const { path } = await mailed(house.server, account.email, 'reset-password');
        await follow(new WebClient(house.server.url), path, { 'new-password': goodPassword() });
      });
      expect(isIn(end)).to.equal(false);
    });

    it('opens nothing after the account was disabled for a while', async () => {
      const { accounts } = house.server.app.domains;
      const end = await use(async ({ account }) => {
        await accounts.disable(account.id, operator);
        await accounts.enable(account.id, operator);
      });
      expect(isIn(end)).to.equal(false);
    });

    it('opens nothing after the person changed the address', async () => {
      const fresh = newAddress();
      const end = await use(async ({ account }) => {
        await house.server.app.domains.registration.changeEmail(account.id, fresh);
        const { path } = await mailed(house.server, fresh, 'change-email');
        await follow(new WebClient(house.server.url), path);
        expect((await house.server.app.domains.accounts.find(account.id))?.email).to.equal(fresh);
      });
      expect(isIn(end)).to.equal(false);
    });

    it('opens nothing after an operator changed the address', async () => {
      const { accounts } = house.server.app.domains;
      const end = await use(async ({ account }) => {
        const { version = 0 } = (await accounts.find(account.id)) ?? {};
        await accounts.update(account.id, version, { email: newAddress(), emailVerified: true }, operator);
      });
      expect(isIn(end)).to.equal(false);
    });
  });
}
