import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { storeLanes } from '../support/store-lanes.ts';
import { type Page, readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

// PGlite has one connection, so the race of the consent page only shows on PostgreSQL.
for (const lane of storeLanes()) {
  describe(`a form that is sent many times at once on ${lane.name}`, () => {
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({ ...(await lane.env(stack)) });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    async function register(firstParty: boolean): Promise<RelyingParty> {
      const { client } = await createClient(server, {
        kind: 'spa',
        firstParty,
        metadata: { redirect_uris: [redirectUri] },
      });
      return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri });
    }
    const sendAll = (web: WebClient, page: Page, forms: Record<string, string>[]): Promise<Response[]> =>
      Promise.all(
        forms.map((fields) =>
          web.fetch(page.url, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams(fields).toString(),
          }),
        ),
      );

    it('does not count right passwords as wrong ones', async () => {
      const app = await register(true);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await web.open((await app.request()).url);
      const fields = { ...readForm(page.text, 'username').fields, username: person.login, password: person.password };
      await sendAll(web, page, Array(10).fill({ ...fields, action: 'continue' }));
      const other = new WebClient(server.url);
      const next = await signIn(other, await other.open((await app.request()).url), person);
      expect(next.status).to.equal(303);
    });

    it('sends the browser on whichever of two answers it takes', async () => {
      const app = await register(true);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await web.open((await app.request()).url);
      const fields = { ...readForm(page.text, 'username').fields, username: person.login, password: person.password };
      const answers = await sendAll(web, page, Array(2).fill({ ...fields, action: 'continue' }));
      expect(answers.map(({ status }) => status)).to.deep.equal([303, 303]);
    });

    it('takes one answer to the consent page', async () => {
      const app = await register(false);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await signIn(web, await web.open((await app.request({ scope: 'openid email' })).url), person);
      const { fields } = readForm(page.text, 'action');
      await sendAll(
        web,
        page,
        Array.from({ length: 20 }, (_, index) => ({ ...fields, action: index % 2 ? 'continue' : 'deny' })),
      );
      const row = await server.app.database
        .sql('audit_event')
        .where({ subject: person.account.id })
        .where('type', 'like', 'consent.%')
        .count({ n: '*' })
        .first();
      expect(Number(row?.n)).to.equal(1);
    });
  });
}
