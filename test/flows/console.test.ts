import { expect } from 'chai';
import { AppError } from '../../src/shared/errors.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { fullestStoreLane } from '../support/store-lanes.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;

for (const lane of fullestStoreLane()) {
  describe(`our own consoles, signed in to like any app, on ${lane.name}`, () => {
    let server: RunningApp;
    const stack = new AsyncDisposableStack();

    before(async () => {
      server = await startApp({ ...(await lane.env(stack)), SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000' });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack.disposeAsync();
    });

    const setRoles = async ({ account }: Person, roles: string[]): Promise<void> => {
      const { accounts } = server.app.domains;
      const version = (await accounts.find(account.id))?.version ?? 0;
      await accounts.update(account.id, version, { roles }, operator);
    };
    const createAdmin = async (): Promise<Person> => {
      const person = await createPerson(server);
      await setRoles(person, ['admin']);
      return person;
    };
    const signedIn = async (person: Person): Promise<WebClient> => {
      const web = new WebClient(server.url);
      expectPage(await signIn(web, await web.open('/admin'), person), 'admin-overview');
      return web;
    };
    const sessions = async (): Promise<unknown[]> =>
      server.app.database.sql('artifact').where({ kind: 'Session' }).select('*').orderBy('id_hash');

    it('take a person through sign-in and back to the very page, which is shown without asking from then on', async () => {
      const person = await createAdmin();
      const web = new WebClient(server.url);
      const back = expectPage(await signIn(web, await web.open('/admin?range=7&x=%2F'), person), 'admin-overview');
      expect(back.url.pathname + back.url.search).to.equal('/admin?range=7&x=%2F');
      expect(back.text).to.include('Mara Lindgren');
      const before = await sessions();
      expect(before.length > 0, 'sessions lie in SQL when there is no Redis').to.equal(!lane.name.includes('Redis'));
      expect((await web.fetch('/admin')).status).to.equal(200);
      expect(await sessions(), 'reading changes nothing').to.deep.equal(before);
    });

    it('let two tabs that began at once both come back to their own page', async () => {
      const person = await createAdmin();
      const web = new WebClient(server.url);
      const [one, two] = [await web.open('/admin?tab=1'), await web.open('/admin?tab=2')];
      expect((await signIn(web, two, person)).url.search).to.equal('?tab=2');
      expect((await signIn(web, one, person)).url.search).to.equal('?tab=1');
    });

    it('do not let in who lacks the role, and offer to come back with another account', async () => {
      const [visitor, admin] = [await createPerson(server), await createAdmin()];
      const web = new WebClient(server.url);
      const denied = expectPage(await signIn(web, await web.open('/admin'), visitor), 'denied');
      expect(denied.status).to.equal(403);
      expect(denied.text).to.include(denied.headers.get('x-request-id') ?? 'none');
      const link = /href="(\/console\/choose-account[^"]+)"/.exec(denied.text)?.[1] ?? '';
      const chooser = expectPage(await web.open(link), 'select-account');
      const login = await web.submit(chooser, { action: 'another' }, 'account');
      // The library ends the first session with a page of its own; scripts send it on, a button does without them.
      const ending = await signIn(web, login, admin);
      expectPage(await web.submit(ending, {}, 'xsrf'), 'admin-overview');
    });

    it('end with the session, the role and the account', async () => {
      const person = await createAdmin();
      const web = await signedIn(person);
      await setRoles(person, []);
      expectPage(await web.open('/admin'), 'denied');
      await setRoles(person, ['admin']);
      expectPage(await web.open('/admin'), 'admin-overview');
      await server.app.domains.accounts.disable(person.account.id, operator);
      expectPage(await web.open('/admin'), 'login');
      await server.app.domains.accounts.enable(person.account.id, operator);
      // What was disabled is over, also what began in the same second: sessions count time in whole seconds.
      const ended = Math.floor(Date.now() / 1000);
      while (Math.floor(Date.now() / 1000) === ended) await new Promise((resolve) => setTimeout(resolve, 20));
      expectPage(await web.open('/admin'), 'login');

      const other = await signedIn(person);
      const kept = other.cookies().get('sp_session') ?? '';
      expectPage(await other.submit(await other.open('/oauth2/logout'), { logout: 'yes' }, 'xsrf'), 'signed-out');
      expectPage(await other.open('/admin'), 'login');
      const thief = new WebClient(server.url);
      thief.setCookie('sp_session', kept);
      expectPage(await thief.open('/admin'), 'login');
    });

    it('want the second factor of whoever has one, also when the session began with the password alone', async () => {
      const person = await createAdmin();
      const web = await signedIn(person);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const door = expectPage(await web.open('/admin'), 'totp');
      expectPage(await web.submit(door, { code: await code(), action: 'continue' }, 'code'), 'admin-overview');

      const fresh = new WebClient(server.url);
      expectPage(await signIn(fresh, await fresh.open('/admin'), person), 'totp');
      expectPage(await fresh.open('/admin'), 'login');
    });

    it('send whoever cancels to the front page', async () => {
      const web = new WebClient(server.url);
      const login = expectPage(await web.open('/admin'), 'login');
      const home = await web.submit(login, { action: 'cancel' }, 'username');
      expect(home.url.pathname).to.equal('/');
      expectPage(home, 'home');
    });

    describe('the way back', () => {
      /** Signs in for the console and stops at the redirect to our own callback. */
      async function callbackOf(web: WebClient, person: Person): Promise<URL> {
        const login = await web.open('/admin?from=callback');
        let next = await web.fetch(readForm(login.text, 'password').action, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            csrf: /name="csrf" value="([^"]+)"/.exec(login.text)?.[1] ?? '',
            username: person.login,
            password: person.password,
            action: 'continue',
          }).toString(),
        });
        for (let hop = 0; hop < 8; hop += 1) {
          const url = new URL(next.headers.get('location') ?? '', server.url);
          if (url.pathname === '/console/callback') return url;
          next = await web.fetch(url);
        }
        throw new Error('the callback was not reached');
      }

      it('leads to the page for the browser that began, and for nobody else', async () => {
        const person = await createAdmin();
        const web = new WebClient(server.url);
        const url = await callbackOf(web, person);
        const open = async (change: (query: URLSearchParams) => void, browser = web): Promise<Response> => {
          const changed = new URL(url);
          change(changed.searchParams);
          return browser.fetch(changed);
        };
        const state = url.searchParams.get('state') ?? '';
        const [content = '', mac = ''] = state.split('.');
        const forged = Buffer.from(JSON.stringify(['//evil.example', Date.now() + 60_000])).toString('base64url');
        const spoilt: ((query: URLSearchParams) => void)[] = [
          (query) => query.delete('state'),
          (query) => query.append('state', state),
          (query) => query.set('state', `${content}.`),
          (query) => query.set('state', content),
          (query) => query.set('state', `${forged}.${mac}`),
          (query) => query.set('state', `${state}.x`),
          (query) => query.set('state', '..'),
          (query) => query.delete('iss'),
          (query) => query.set('iss', 'https://evil.example'),
          (query) => query.append('iss', server.url),
          (query) => query.set('error', 'server_error'),
        ];
        for (const spoil of spoilt) {
          const answer = await open(spoil);
          expect(answer.status, spoil.toString()).to.equal(410);
          expect(answer.headers.get('location')).to.equal(null);
        }
        expect((await open(() => undefined, new WebClient(server.url))).status).to.equal(410);
        const good = await open(() => undefined);
        expect([good.status, good.headers.get('location')]).to.deep.equal([303, '/admin?from=callback']);
      });

      it('carries a code that nobody can redeem', async () => {
        const url = await callbackOf(new WebClient(server.url), await createAdmin());
        const code = url.searchParams.get('code') ?? '';
        expect(code).to.match(/^ac_/);
        const redeem = (headers: Record<string, string>, more: Record<string, string>): Promise<Response> =>
          fetch(`${server.url}/oauth2/token`, {
            method: 'POST',
            headers,
            body: new URLSearchParams({
              grant_type: 'authorization_code',
              code,
              redirect_uri: `${server.url}/console/callback`,
              code_verifier: 'x'.repeat(43),
              ...more,
            }),
          });
        const basic = { authorization: `Basic ${Buffer.from('sallyport-console:x').toString('base64')}` };
        for (const answer of [
          await redeem({}, { client_id: 'sallyport-console' }),
          await redeem({}, { client_id: 'sallyport-console', client_secret: '' }),
          await redeem({}, { client_id: 'sallyport-console', client_secret: 'x' }),
          await redeem(basic, {}),
        ]) {
          expect(answer.status).to.be.oneOf([400, 401]);
          expect(((await answer.json()) as { error: string }).error).to.be.oneOf(['invalid_client', 'invalid_request']);
        }
      });

      it('takes no address of another place', async () => {
        const web = await signedIn(await createAdmin());
        for (const target of [
          '//evil.example',
          '/\\evil.example',
          '/%5cevil.example',
          '/oauth2/logout',
          '/',
          '',
          '/admin/../x',
        ]) {
          const answer = await web.fetch(`/console/choose-account?return_to=${encodeURIComponent(target)}`);
          expect(answer.status, target).to.equal(400);
        }
      });
    });

    it('belong to an app that is built in: nobody can register, list or change it', async () => {
      const { clients, apis } = server.app.domains;
      const metadata = { redirect_uris: ['https://evil.example/cb'] };
      const refusal = await clients
        .create({ id: 'sallyport-console', name: 'Mine', kind: 'spa', metadata }, operator)
        .catch((error: unknown) => error);
      expect((refusal as AppError).code).to.equal('conflict');
      expect((await clients.list()).map(({ id }) => id)).to.not.include('sallyport-console');
      expect(await clients.verifySecret('sallyport-console', '')).to.equal(false);
      const identifier = `${server.url}/api/v1`;
      const taken = await apis.create({ identifier, name: 'Mine' }, operator).catch((error: unknown) => error);
      expect((taken as AppError).code).to.equal('conflict');
      for (const change of [
        () => clients.remove('sallyport-console' as never, operator),
        () => clients.rotateSecret('sallyport-console' as never, { overlapSeconds: 0 }, operator),
        () => apis.update(identifier, 1, { name: 'Mine' }, operator),
        () => apis.remove(identifier, operator),
      ]) {
        const error = await change().catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(AppError);
        expect((error as AppError).code).to.equal('not_found');
      }
      expect((await apis.find(identifier))?.scopes.map(({ name }) => name)).to.include('account:read');
    });

    it('greet whoever is signed in on the front page, and show the way to the console only to those who may go there', async () => {
      const [person, admin] = [await createPerson(server), await createAdmin()];
      const stranger = await new WebClient(server.url).open('/');
      expect(stranger.text).to.not.include('Signed in as').and.not.include('href="/admin"');
      expect(stranger.text).to.include('href="/api/docs"');
      const visitor = new WebClient(server.url);
      await signIn(visitor, await visitor.open('/admin'), person);
      expect((await visitor.open('/')).text)
        .to.include('Signed in as')
        .and.not.include('href="/admin"');
      expect((await (await signedIn(admin)).open('/')).text).to.include('href="/admin"');
    });
  });
}
