import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { mailed, roomy } from '../flows/entry-visitor.ts';
import { goodPassword } from '../registration/fixture.ts';
import { createPerson } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { browserOf, withToken } from '../web/api-caller.ts';

/** Whoever has a session makes API keys at the very moment at which its owner takes the account back by mail. */
for (const lane of emptiestAndFullest()) {
  describe(`API keys that are made while the account is taken back, on ${lane.name}`, function () {
    this.timeout(120_000);
    const stack = new AsyncDisposableStack();
    let server: RunningApp;
    before(async () => {
      server = stack.use(
        await startApp({
          ...(await lane.env(stack)),
          ...roomy,
          SALLYPORT_API_KEYS: 'everyone',
          SALLYPORT_LIMIT_TOKEN: '100000',
        }),
      );
    });
    after(() => stack.disposeAsync());

    it('end with it', async () => {
      const survivors: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        const person = await createPerson(server);
        const { ask } = await browserOf(server, person);
        await server.app.domains.recovery.requestReset(person.login, {});
        const { token } = await mailed(server, person.account.email, 'reset-password');
        const body = {
          name: 'Backdoor',
          scopes: ['account:read', 'account:write', 'account:security'],
          expires_in_days: 3650,
        };
        let over = false;
        const reset = fetch(`${server.url}/api/v1/auth/password/reset`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token, password: goodPassword() }),
        }).finally(() => {
          over = true;
        });
        // As many as the default limit lets one account make in a minute, for as long as the reset takes.
        const made = Array.from({ length: 45 }, async (_, index) => {
          await delay(index * 8);
          return over ? { status: 0, json: undefined } : ask('POST', '/me/api-keys', body);
        });
        const answers = await Promise.all(made);
        expect((await reset).status).to.equal(204);
        await delay(1_500);
        expect((await ask('GET', '/me')).status, 'the session of before').to.equal(401);
        for (const { status, json } of answers) {
          if (status !== 201) continue;
          const use = await withToken(server, json.text)('GET', '/me');
          if (use.status === 200) survivors.push(json.key.id);
        }
      }
      expect(survivors, 'keys that open the account after it was taken back').to.deep.equal([]);
    });
  });
}
