import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { mailed, roomy } from '../flows/entry-visitor.ts';
import { goodPassword } from '../registration/fixture.ts';
import { createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

const thieves = 20;

/** Whoever knows the old password signs in at the very moment at which its owner resets it by mail. One node. */
for (const lane of emptiestAndFullest()) {
  describe(`a sign-in with the old password while it is reset, on ${lane.name}`, function () {
    this.timeout(120_000);
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    before(async () => {
      const env = {
        ...(await lane.env(stack)),
        ...roomy,
        SALLYPORT_SESSION_LIMIT: '0',
        SALLYPORT_LIMIT_SIGN_IN: '1000',
      };
      // Passwords cost what they cost in production.
      const argon2 = { SALLYPORT_ARGON2_MEMORY_KIB: '19456', SALLYPORT_ARGON2_PASSES: '2' };
      server = stack.use(await startApp({ ...env, ...argon2 }));
    });
    after(() => stack.disposeAsync());

    it('opens no session that outlives the reset', async () => {
      const inside: string[] = [];
      for (let round = 0; round < 1; round += 1) {
        const person = await createPerson(server);
        const visits = await Promise.all(
          Array.from({ length: thieves }, async () => {
            const web = new WebClient(server.url);
            return { web, page: expectPage(await web.open('/account'), 'login') };
          }),
        );
        await server.app.domains.recovery.requestReset(person.login, {});
        const { token } = await mailed(server, person.account.email, 'reset-password');
        const reset = fetch(`${server.url}/api/v1/auth/password/reset`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token, password: goodPassword() }),
        });
        await Promise.all(
          visits.map(async ({ web, page }, index) => {
            await delay(index * 12);
            const form = readForm(page.text, 'username');
            const fields = { ...form.fields, username: person.login, password: person.password, action: 'continue' };
            return web.post(new URL(form.action || page.url.href, page.url), fields);
          }),
        );
        expect((await reset).status).to.equal(204);
        await delay(2_500);
        for (const { web } of visits) {
          const page = await web.open('/account');
          if (page.name !== 'login') inside.push(`round ${round}: ${page.name}`);
        }
      }
      expect(inside, 'browsers of whoever had the old password').to.deep.equal([]);
    });
  });
}
