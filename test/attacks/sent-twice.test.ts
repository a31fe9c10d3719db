import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { emptiestAndFullest } from '../support/store-lanes.ts';
import { type Page, readForm, signInBase, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

// PGlite has one connection, so the race of the consent page only shows on PostgreSQL.
for (const lane of emptiestAndFullest()) {
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
    const send = (web: WebClient, page: Page, fields: Record<string, string>): Promise<Response> =>
      web.fetch(readForm(page.text, 'csrf').action || page.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      });
    const sendAll = (web: WebClient, page: Page, forms: Record<string, string>[]): Promise<Response[]> =>
      Promise.all(forms.map((fields) => send(web, page, fields)));

    it('does not count right passwords as wrong ones', async () => {
      const app = await register(true);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await web.open((await app.request()).url);
      const fields = { ...readForm(page.text, 'username').fields, username: person.login, password: person.password };
      const answers = await sendAll(web, page, Array(10).fill({ ...fields, action: 'continue' }));
      expect(answers.map(({ status }) => status)).to.include(303);
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
      const ends = new Set(answers.map(({ headers }) => headers.get('location')));
      expect([...ends].map((end) => end?.startsWith(`${redirectUri}?code=`))).to.deep.equal([true]);
    });

    it('has its answer again in the browser that sent it, and nobody and nothing else has', async () => {
      const app = await register(true);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await web.open((await app.request()).url);
      const before = web.cookies();
      const base = signInBase(page);
      const fields = {
        ...readForm(page.text, 'username').fields,
        username: person.login,
        password: person.password,
        action: 'continue',
      };
      const first = await send(web, page, fields);
      const told = (answer: Response) => ({
        status: answer.status,
        location: answer.headers.get('location'),
        session: answer.headers.getSetCookie().find((line) => line.startsWith('sp_session=')),
      });
      expect(told(first).location).to.include(`${redirectUri}?code=`);
      expect(told(first).session).to.be.a('string');
      expect(told(await send(web, page, fields)), 'the same form').to.deep.equal(told(first));

      // Whoever has every cookie but the one that no neighbour can plant.
      const thief = new WebClient(server.url);
      const own = readForm((await thief.open((await app.request()).url)).text, 'csrf').fields.csrf ?? '';
      for (const [name, value] of before) {
        const path = name.startsWith('sp_resume') ? `/oauth2/authorize/${base.slice('/sign-in/'.length)}` : base;
        if (/^sp_(interaction|resume)/.test(name)) for (const one of [web, thief]) one.setCookie(name, value, path);
      }
      const others = {
        'another form': await send(web, page, { ...fields, remember: 'yes' }),
        'a wrong password': await send(web, page, { ...fields, password: 'not it' }),
        'the page': await web.fetch(base),
        'another browser': await send(thief, page, { ...fields, csrf: own }),
        'its page': await thief.fetch(base),
        'the way back to the app': await thief.fetch(`/oauth2/authorize/${base.slice('/sign-in/'.length)}`),
      };
      for (const [name, answer] of Object.entries(others)) {
        expect(told(answer).location ?? '', name).to.not.include('code=');
        expect(told(answer).session, name).to.equal(undefined);
      }
      const elsewhere = await web.fetch(base, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
        body: new URLSearchParams(fields).toString(),
      });
      expect([told(elsewhere).location, told(elsewhere).session], 'from another site').to.deep.equal([null, undefined]);
      expect(others['the page'].status).to.equal(410);
      const silent = await thief.open((await app.request({ prompt: 'none' })).url);
      expect(silent.url.searchParams.get('error')).to.equal('login_required');
    });

    it('has its answer twice as well where that is a page that posts itself to the app', async () => {
      const app = await register(true);
      const person = await createPerson(server);
      const web = new WebClient(server.url);
      const page = await web.open((await app.request({ response_mode: 'form_post' })).url);
      const fields = { ...readForm(page.text, 'username').fields, username: person.login, password: person.password };
      const answers = await sendAll(web, page, Array(2).fill({ ...fields, action: 'continue' }));
      expect(answers.map(({ status }) => status)).to.deep.equal([303, 303]);
      const end = await web.open(answers[1]?.headers.get('location') ?? '');
      expect(readForm(end.text, 'code').action).to.equal(redirectUri);
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
