import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

for (const lane of emptiestAndFullest()) {
  describe(`a sign-in that a store fails in the middle of, on ${lane.name}`, () => {
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = stack.use(await startApp({ ...(await lane.env(stack)) }));
    });
    after(() => stack.disposeAsync());

    // What is unusual is asked of the first, and the session is opened with the other.
    for (const table of ['session', 'session_client'])
      it(`is not lost for want of ${table}: the same form goes on, and the right password is no failure`, async () => {
        const { client } = await createClient(server, {
          kind: 'spa',
          firstParty: true,
          metadata: { redirect_uris: [redirectUri] },
        });
        const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri };
        const app = await RelyingParty.discover(about);
        const { login: username, password, account } = await createPerson(server);
        const { sql } = server.app.database;
        const web = new WebClient(server.url);
        const attempt = await app.request();
        const page = await web.open(attempt.url);
        const form = readForm(page.text, 'username');
        const send = () => {
          const fields = { ...form.fields, username, password, action: 'continue' };
          return web.fetch(new URL(form.action || page.url.href, page.url), {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams(fields).toString(),
          });
        };
        const steps = async () => Number((await sql('sign_in_flow').count('* as found').first())?.found);
        const before = await steps();
        // After the password was looked at, and before the app has its code.
        await sql.raw(`alter table ${table} rename to away`);
        const failed = await send();
        await sql.raw(`alter table away rename to ${table}`);
        expect(failed.status).to.equal(500);
        expect(await steps(), 'steps that are stored').to.equal(before);
        const counted = await sql('sign_in_throttle').where({ key: account.id }).first('failures', 'retry_at');
        expect({ failures: counted?.failures, retryAt: Number(counted?.retry_at) }).to.deep.equal({
          failures: 0,
          retryAt: 0,
        });

        const done = await send();
        expect(done.status).to.equal(303);
        const callback = new URL(done.headers.get('location') ?? '');
        expect((await app.redeem(callback, attempt)).claims()?.sub).to.equal(account.id);
      });
  });
}
