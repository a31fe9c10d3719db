import { expect } from 'chai';
import * as oidc from 'openid-client';
import { GateBrowser } from '../forward-auth/gate-browser.ts';
import { createProtectedApp, nginxServer, passSignIn, type Seen, startBackend } from '../forward-auth/world.ts';
import { startNginx } from '../support/nginx.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { visit } from '../support/visitor.ts';
import { WebClient } from '../support/web-client.ts';

interface World {
  readonly server: RunningApp;
  readonly app: string;
  readonly api: string;
  readonly audience: string;
  readonly clientId: string;
  readonly seen: Seen[];
}

const operator = { kind: 'operator' } as const;

describe('forward auth behind nginx', function forwardAuth() {
  const stack = new AsyncDisposableStack();
  let world: World;
  let person: Person;

  before(async function start() {
    if (!process.env.TEST_NGINX) this.skip();
    const server = stack.use(await startApp({ SALLYPORT_TRUSTED_PROXIES: '127.0.0.1' }));
    const backend = stack.use(await startBackend());
    const [appPort, apiPort] = [await freePort(), await freePort()];
    const app = `http://localhost:${appPort}`;
    const audience = await createApi(server);
    const client = await createProtectedApp(server, app);
    const blocks = [
      nginxServer('app.conf', appPort, { 'http://wiki': 'http://backend', 'app=wiki': `app=${client.id}` }),
      nginxServer('api.conf', apiPort, {
        'http://orders': 'http://backend',
        'https://orders.example.com': audience,
        'orders.read': 'notes:read',
        'orders.write': 'notes:write',
      }),
    ];
    const upstreams = [
      `upstream sallyport { server ${new URL(server.url).host}; }`,
      `upstream backend { server 127.0.0.1:${backend.port}; }`,
    ];
    stack.use(await startNginx(apiPort, [...upstreams, ...blocks].join('\n')));
    const api = `http://127.0.0.1:${apiPort}`;
    world = { server, app, api, audience, clientId: client.id, seen: backend.seen };
    person = await createPerson(server);
  });

  after(() => stack.disposeAsync());

  const last = (): Seen => world.seen.at(-1) as Seen;
  const call = (path: string, token?: string, headers: Record<string, string> = {}) =>
    fetch(`${world.api}${path}`, { headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) } });

  async function machineToken(scope: string): Promise<{ token: string; clientId: string; config: oidc.Configuration }> {
    const { client, secret } = await createClient(world.server, {
      kind: 'machine',
      apis: { [world.audience]: ['notes:read', 'notes:write'] },
    });
    const config = await oidc.discovery(new URL(world.server.url), client.id, {}, oidc.ClientSecretBasic(secret), {
      execute: [oidc.allowInsecureRequests],
    });
    const { access_token } = await oidc.clientCredentialsGrant(config, { resource: world.audience, scope });
    return { token: access_token, clientId: client.id, config };
  }

  async function personToken(): Promise<string> {
    const redirectUri = 'http://localhost:9/callback';
    const { client } = await createClient(world.server, {
      kind: 'spa',
      firstParty: true,
      apis: { [world.audience]: [] },
      metadata: { redirect_uris: [redirectUri] },
    });
    const party = await RelyingParty.discover({
      issuer: world.server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri,
    });
    const attempt = await party.request({ scope: 'openid notes:read', resource: world.audience });
    const web = new WebClient(world.server.url);
    const page = await signIn(web, await web.open(attempt.url), person);
    return (await party.redeem(page.url, attempt, { resource: world.audience })).access_token;
  }

  describe('an API', () => {
    it('is closed without a token, and says how to come in', async () => {
      const answer = await call('/notes');
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
      const bad = await call('/notes', 'at_nothing');
      expect([bad.status, bad.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer error="invalid_token"']);
    });

    it('learns who it is, whatever the client says of itself', async () => {
      const spoofed = {
        'X-Auth-User': 'acc_evil',
        'x-auth-email': 'evil@example.com',
        X_Auth_User: 'acc_evil',
        'X-AUTH-SCOPES': 'everything',
        'X-Auth-Acr': 'aal2',
      };
      const answer = await call('/notes?x=1', await personToken(), spoofed);
      expect(answer.status).to.equal(200);
      const { headers, url, names } = last();
      expect(url).to.equal('/notes?x=1');
      expect(headers['x-auth-user']).to.equal(person.account.id);
      expect(headers['x-auth-scopes']).to.equal('notes:read');
      expect(headers['x-auth-acr']).to.equal('aal1');
      expect(headers['x-auth-request-id']).to.match(/^[a-f0-9]{32}$/);
      expect(headers).to.not.have.any.keys('x-auth-email', 'x-auth-name', 'x_auth_user');
      expect(names.filter((name) => name.toLowerCase() === 'x-auth-user')).to.have.length(1);
    });

    it('knows a program from a person', async () => {
      const { token, clientId } = await machineToken('notes:read');
      expect((await call('/notes', token, { 'X-Auth-User': 'acc_evil' })).status).to.equal(200);
      expect(last().headers['x-auth-client']).to.equal(clientId);
      expect(last().headers).to.not.have.property('x-auth-user');
    });

    it('refuses a token that does not reach far enough, and one that was revoked, at once', async () => {
      const { token, config } = await machineToken('notes:read');
      expect((await call('/admin/notes', token)).status).to.equal(403);
      expect((await call('/%61dmin/notes', token)).status, 'an encoded path').to.equal(403);
      expect((await call('//admin//notes', token)).status, 'slashes').to.equal(403);
      expect((await call('/notes', token)).status).to.equal(200);
      await oidc.tokenRevocation(config, token);
      expect((await call('/notes', token)).status).to.equal(401);
    });

    it('takes one Authorization header only, and no token elsewhere', async () => {
      const { token } = await machineToken('notes:read');
      expect((await call(`/notes?access_token=${token}`)).status).to.equal(401);
      expect((await call('/notes', undefined, { authorization: `Bearer ${token}, Bearer x` })).status).to.equal(401);
      expect((await call('/.sallyport/status', token)).status, 'the question itself').to.equal(404);
    });
  });

  describe('an app for people', () => {
    const browse = (): { app: GateBrowser; issuer: WebClient } => ({
      app: new GateBrowser(world.app),
      issuer: new WebClient(world.server.url),
    });

    it('signs in, goes on where it was, and ends with the session', async () => {
      const { app, issuer } = browse();
      const start = await app.open('/pages/a?b=c%2Fd');
      expect(start.url.origin).to.equal(world.server.url);
      const back = await passSignIn(issuer, start.url, person);
      expect(back.url.href).to.match(new RegExp(`^${world.app}/\\.sallyport/callback\\?code=`));
      const page = await app.open(back.url);
      expect([page.status, page.url.href]).to.deep.equal([200, `${world.app}/pages/a?b=c%2Fd`]);
      const { headers } = last();
      expect(headers['x-auth-user']).to.equal(person.account.id);
      expect(headers['x-auth-email']).to.equal(person.account.email);
      expect(headers['x-auth-name']).to.equal('Mara Lindgren');

      const [session] = await world.server.app.domains.sessions.list(person.account.id);
      expect((await app.fetch('/pages/b')).status).to.equal(200);
      await world.server.app.domains.sessions.end(session?.id ?? '', operator);
      const over = await app.fetch('/pages/b');
      expect([over.status, over.headers.get('location')?.startsWith(world.server.url)]).to.deep.equal([302, true]);
    });

    it('ends when the person signs out at the issuer', async () => {
      const { app, issuer } = browse();
      await app.open((await passSignIn(issuer, (await app.open('/')).url, person)).url);
      expect((await app.fetch('/')).status).to.equal(200);
      const held = [...app.cookies];
      const leaving = await app.open('/.sallyport/sign-out');
      expect(leaving.url.pathname).to.equal('/oauth2/logout');
      const page = await issuer.open(leaving.url);
      await issuer.submit(page, {}, 'logout').catch(() => issuer.submit(page, { action: 'continue' }, 'action'));
      // Also with the cookie that the browser was told to forget.
      for (const [name, value] of held) app.cookies.set(name, value);
      expect((await app.fetch('/', { headers: { accept: 'application/json' } })).status).to.equal(401);
    });

    it('answers scripts and forms with 401', async () => {
      const { app } = browse();
      const refused = [
        await app.fetch('/save', { method: 'POST' }),
        await app.fetch('/data', { headers: { accept: 'application/json' } }),
        await app.fetch('/data', { headers: { 'x-requested-with': 'XMLHttpRequest' } }),
        await app.fetch('/data', { headers: { 'sec-fetch-mode': 'cors' } }),
      ];
      for (const { status, headers } of refused) {
        expect([status, headers.get('location')]).to.deep.equal([401, null]);
        expect(headers.get('www-authenticate')).to.equal(`Session sign_in="${world.app}/.sallyport/sign-in"`);
      }
      const page = await app.open('/.sallyport/sign-in?return_to=/data');
      expect(page.url.pathname).to.equal('/oauth2/authorize');
    });

    it('works in a real browser', async function inBrowser() {
      if (!process.env.TEST_BROWSER_READY) this.skip();
      await visit(world.server, { origins: [world.app] }, async ({ page, at, submit }) => {
        await page.goto(`${world.app}/pages/x`);
        await at('login');
        await submit({ username: person.login, password: person.password });
        await at('wiki');
        expect(page.url()).to.equal(`${world.app}/pages/x`);
        expect(await page.locator('body').innerText()).to.equal(person.account.id);
      });
    });
  });
});
