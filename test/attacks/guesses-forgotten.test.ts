import { expect } from 'chai';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { type Page, readForm, signInBase, type WebClient } from '../support/web-client.ts';
import { House } from './house.ts';

// Where Redis counts, what is taken off a count travels later than what is put on it.
for (const lane of emptiestAndFullest()) {
  describe(`guesses of one address on ${lane.name}`, () => {
    let house: House;
    const stack = new AsyncDisposableStack();

    before(async () => {
      const limits = { SALLYPORT_LIMIT_SIGN_IN: '2', SALLYPORT_LOCKOUT_TRIES: '50' };
      house = await House.open({ ...(await lane.env(stack)), ...limits });
    });
    after(async () => {
      await house?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const guess = (web: WebClient, page: Page, username: string): Promise<Response> =>
      web.fetch(`${signInBase(page)}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ csrf: readForm(page.text, 'csrf').fields.csrf ?? '', username, password: 'guess' }),
      });

    it('are not forgotten for a form that came at the wrong step', async () => {
      const [victim, own] = [await house.resident('nothing'), await house.resident('app')];
      const { web: elsewhere, page: login } = await house.visit();
      const typed = { username: own.login, password: own.password, action: 'continue' };
      const next = await elsewhere.submit(login, typed, 'username');
      expect(next.url).to.match(/second-factor$/);
      const { web, page } = await house.visit();
      expect((await guess(web, page, victim.login)).status).to.equal(422);
      expect((await guess(elsewhere, next, victim.login)).status).to.equal(303);
      expect((await guess(web, page, victim.login)).status).to.equal(422);
      await guess(elsewhere, next, victim.login);
      expect((await guess(web, page, victim.login)).status).to.equal(429);
    });
  });
}
