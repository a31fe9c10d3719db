import { expect } from 'chai';
import type { Client } from '../../src/clients/index.ts';
import { identityHeaderNames } from '../../src/forward-auth/index.ts';
import { createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';
import { type GateAnswer, GateBrowser } from './gate-browser.ts';
import { createProtectedApp, passSignIn } from './world.ts';

const origin = 'https://wiki.example.com';
const other = 'https://files.example.com';

/** What Traefik and Caddy would say of a request, from a trusted address. */
const forwarded = (uri: string, rest: Readonly<Record<string, string | string[]>> = {}) => ({
  'x-forwarded-host': 'wiki.example.com',
  'x-forwarded-method': 'GET',
  'x-forwarded-proto': 'https',
  'x-forwarded-uri': uri,
  ...rest,
});

describe('forward auth, attacked', () => {
  let server: RunningApp;
  let client: Client;
  let person: Person;
  /** Somebody who stays signed in at the issuer. */
  let issuer: WebClient;

  before(async () => {
    server = await startApp({ SALLYPORT_TRUSTED_PROXIES: '127.0.0.1' });
    client = await createProtectedApp(server, origin, 'https://wiki.example.org');
    person = await createPerson(server);
    issuer = new WebClient(server.url);
  });

  after(() => server[Symbol.asyncDispose]());

  const ask = (
    browser: GateBrowser,
    uri: string,
    rest: Readonly<Record<string, string | string[]>> = {},
    rule = `app=${client.id}`,
  ): Promise<GateAnswer> => browser.fetch(`/forward-auth/check?${rule}`, { headers: forwarded(uri, rest) });
  const gate = (): GateBrowser => new GateBrowser(server.url);
  const locationOf = ({ headers }: GateAnswer): URL => new URL(headers.get('location') ?? '');

  /** Begins at the app, signs in at the issuer, and returns the address that leads back. */
  async function callbackFor(browser: GateBrowser, uri = '/'): Promise<string> {
    const begun = await ask(browser, uri);
    expect(begun.status, begun.text).to.equal(302);
    const page = await passSignIn(issuer, locationOf(begun), person);
    expect(page.url.href.startsWith(`${origin}/.sallyport/callback?`), page.url.href).to.equal(true);
    return `${page.url.pathname}${page.url.search}`;
  }

  it('signs in through a proxy that passes redirects on, with cookies for one host only', async () => {
    const browser = gate();
    const done = await ask(browser, await callbackFor(browser, '/a//b?c=%2F'));
    expect([done.status, done.headers.get('location')]).to.deep.equal([302, `${origin}/a//b?c=%2F`]);
    expect(browser.setCookies).to.have.length(2);
    for (const line of browser.setCookies) {
      expect(line).to.match(/^__Host-sp_(?:gate|app)_[\w-]{10}=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    }
    const allowed = await ask(browser, '/a');
    expect(allowed.status).to.equal(200);
    for (const name of identityHeaderNames) expect(allowed.headers.has(name), name).to.equal(true);
    expect(allowed.headers.get('x-auth-user')).to.equal(person.account.id);
    expect(allowed.headers.get('set-cookie')).to.equal(null);
  });

  it('goes back nowhere but to the app', async () => {
    const table: readonly (readonly [sent: string, back: string])[] = [
      ['//evil.example/x', `${origin}//evil.example/x`],
      ['/\\evil.example', ''],
      ['/@evil.example/', `${origin}/@evil.example/`],
      ['/%0d%0aLocation:%20https://evil.example', `${origin}/%0d%0aLocation:%20https://evil.example`],
      ['/..//evil.example', `${origin}//evil.example`],
      ['/.sallyport/sign-in?return_to=https://evil.example/', `${origin}/`],
      ['/.sallyport/sign-in?return_to=//evil.example/', `${origin}//evil.example/`],
      ['/.sallyport/sign-in?return_to=/a&return_to=/b', `${origin}/`],
      ['/.sallyport/sign-in?return_to=/.sallyport/sign-out', `${origin}/`],
      [`/${'a'.repeat(2000)}`, `${origin}/`],
    ];
    for (const [sent, expected] of table) {
      const browser = gate();
      const answer = await ask(browser, sent);
      if (answer.status === 302) {
        const page = await passSignIn(issuer, locationOf(answer), person);
        const done = await ask(browser, `${page.url.pathname}${page.url.search}`);
        const { host } = locationOf(done);
        expect([done.headers.get('location'), host], sent).to.deep.equal([
          expected || `${origin}/`,
          'wiki.example.com',
        ]);
      } else expect(answer.status, sent).to.equal(403);
    }
  });

  it('believes only a proxy, and one description of a request', async () => {
    const hosts = [
      'evil.example',
      'wiki.example.com.evil.example',
      'wiki.example.com:8443',
      'wiki.example.com, evil',
      '',
    ];
    for (const host of hosts) {
      expect((await ask(gate(), '/', { 'x-forwarded-host': host })).status, host).to.equal(403);
    }
    expect((await ask(gate(), '/', { 'x-forwarded-host': ['wiki.example.com', 'wiki.example.com'] })).status).to.equal(
      403,
    );
    expect((await ask(gate(), '/', { 'x-forwarded-uri': ['/', '/b'] })).status).to.equal(403);
    expect((await ask(gate(), 'https://evil.example/')).status).to.equal(403);
    expect((await gate().fetch(`/forward-auth/check?app=${client.id}`)).status, 'no description').to.equal(403);
    // Other spellings of the same host are the same host.
    expect((await ask(gate(), '/', { 'x-forwarded-host': 'WIKI.example.com:443' })).status).to.equal(302);
    expect((await ask(gate(), '/', { 'x-forwarded-host': 'wiki.example.org' })).status).to.equal(302);
  });

  it('refuses rules that it does not understand', async () => {
    const rules = [
      '',
      'app=',
      `app=${client.id}&app=x`,
      `app=${client.id}&scope=x`,
      'audience=a&app=b',
      'audience=a&acr=x',
    ];
    for (const rule of rules) expect((await ask(gate(), '/', {}, rule)).status, rule).to.equal(400);
    expect((await ask(gate(), '/', {}, 'app=sallyport-console')).status, 'our own').to.equal(403);
    expect((await ask(gate(), '/', {}, 'app=unknown')).status).to.equal(403);
  });

  it('finishes a sign-in only in the browser that began it', async () => {
    const attacker = gate();
    const callback = await callbackFor(attacker);
    const victim = gate();
    expect((await ask(victim, callback)).status, 'without a cookie').to.equal(403);
    await ask(victim, '/');
    expect((await ask(victim, callback)).status, 'with a cookie of its own').to.equal(403);
    expect([...victim.cookies.keys()].some((name) => name.includes('sp_app'))).to.equal(false);
    const tampered = callback.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example');
    expect((await ask(attacker, tampered)).status, 'another issuer').to.equal(403);
    expect((await ask(attacker, callback, { 'x-forwarded-method': 'POST' })).status, 'a form').to.equal(403);
    expect((await ask(attacker, callback)).status).to.equal(302);
    expect((await ask(attacker, callback)).status, 'a second time').to.equal(403);
  });

  it('lets a code be used once, also when it comes fifty times at once', async () => {
    const browser = gate();
    const callback = await callbackFor(browser);
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(browser, callback)));
    expect(all.filter(({ status }) => status === 302)).to.have.length.at.most(1);
  });

  it('takes no cookie of another app, another host or another time', async () => {
    const browser = gate();
    await ask(browser, await callbackFor(browser));
    const [name = '', value = ''] = [...browser.cookies].find(([key]) => key.includes('sp_app')) ?? [];
    const files = await createProtectedApp(server, other);
    const stranger = gate();
    const script = { accept: 'application/json' };
    const attempt = async (rule: string, host: string): Promise<number> => {
      // Under every name that it could be looked for.
      const begun = await ask(stranger, '/', { 'x-forwarded-host': host }, rule);
      const own = begun.headers.get('set-cookie')?.split('=')[0]?.replace('sp_gate', 'sp_app') ?? name;
      const cookie = [...new Set([name, own])].map((one) => `${one}=${value}`).join('; ');
      return (await ask(gate(), '/', { ...script, cookie, 'x-forwarded-host': host }, rule)).status;
    };
    expect(await attempt(`app=${files.id}`, 'files.example.com'), 'another app').to.equal(401);
    expect(await attempt(`app=${client.id}`, 'wiki.example.org'), 'another host of the same app').to.equal(401);
    const changed = `${value.slice(0, -2)}AA`;
    expect((await ask(gate(), '/', { ...script, cookie: `${name}=${changed}` })).status, 'changed').to.equal(401);
    expect((await ask(gate(), '/', { ...script, cookie: `${name}=${value}; ${name}=x` })).status, 'two').to.equal(401);
    expect((await ask(gate(), '/', { ...script, cookie: `${name}=${value}` })).status, 'the right one').to.equal(200);
  });

  it('passes no header that an app could take for one of the gate', async () => {
    const browser = gate();
    await ask(browser, await callbackFor(browser));
    for (const name of ['X_Auth_User', 'x-auth_email', 'X.Auth.User', 'X_AUTH_SCOPES']) {
      expect((await ask(browser, '/', { [name]: 'acc_evil' })).status, name).to.equal(403);
    }
    const allowed = await ask(browser, '/', { 'X-Auth-User': 'acc_evil', 'x-AUTH-acr': 'aal9' });
    expect(allowed.headers.get('x-auth-user')).to.equal(person.account.id);
    expect(allowed.headers.get('x-auth-acr')).to.equal('aal1');
  });

  it('asks for a stronger or fresher sign-in', async () => {
    const browser = gate();
    await ask(browser, await callbackFor(browser));
    const strong = await ask(browser, '/', {}, `app=${client.id}&acr=aal2`);
    expect(locationOf(strong).searchParams.get('acr_values')).to.equal('aal2');
    expect((await ask(browser, '/', { accept: '*/*' }, `app=${client.id}&acr=aal2`)).status).to.equal(401);
    expect((await ask(browser, '/', {}, `app=${client.id}&acr=aal1&max_age=600`)).status).to.equal(200);
  });

  it('ends with the account, the app and the permission', async () => {
    const own = await createProtectedApp(server, other);
    const browser = gate();
    const rule = `app=${own.id}`;
    const at = { 'x-forwarded-host': 'files.example.com' };
    const begun = await ask(browser, '/', at, rule);
    const page = await passSignIn(issuer, locationOf(begun), person);
    await ask(browser, `${page.url.pathname}${page.url.search}`, at, rule);
    expect((await ask(browser, '/', at, rule)).status).to.equal(200);
    const { domains } = server.app;
    const disabled = await domains.clients.update(own.id, own.version, { disabled: true }, { kind: 'operator' });
    expect((await ask(browser, '/', at, rule)).status, 'app disabled').to.equal(403);
    await domains.clients.update(own.id, disabled.version, { disabled: false }, { kind: 'operator' });
    expect((await ask(browser, '/', at, rule)).status).to.equal(200);
    await domains.sessions.endAll(person.account.id, { kind: 'operator' });
    expect((await ask(browser, '/', { ...at, accept: '*/*' }, rule)).status, 'sessions ended').to.equal(401);
  });

  it('answers nobody but the proxies that it trusts', async () => {
    const stranger = new GateBrowser(server.url, {}, '127.0.0.2');
    for (const rule of [`app=${client.id}`, 'audience=https://api.example/']) {
      const answer = await ask(stranger, '/', {}, rule);
      expect([answer.status, answer.headers.get('location')]).to.deep.equal([403, null]);
    }
    const paths = ['/forward-auth', '/forward-auth/', '/forward-auth/check/', '/FORWARD-AUTH/check', '/forward-auth/x'];
    for (const path of paths) expect((await gate().fetch(path)).status, path).to.equal(404);
  });
});
