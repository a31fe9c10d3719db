import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { mmdb } from '../support/mmdb.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const berlin = '81.2.69.10';
const sydney = '1.128.0.10';
const bad = '192.0.2.66';
const blocked = '198.51.100.7';

const place = (iso_code: string, country: string, city: string, latitude: number, longitude: number) => ({
  country: { iso_code, names: { en: country } },
  city: { names: { en: city } },
  location: { latitude, longitude, accuracy_radius: 20 },
});

describe('signs of somebody else', () => {
  let dir: string;
  let server: RunningApp;
  let app: RelyingParty;
  let clientId: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-risk-'));
    writeFileSync(
      join(dir, 'city.mmdb'),
      mmdb({
        '81.2.69.0/24': place('DE', 'Germany', 'Berlin', 52.52, 13.405),
        '1.128.0.0/16': place('AU', 'Australia', 'Sydney', -33.869, 151.209),
        '175.16.199.0/24': place('CN', 'China', 'Changchun', 43.88, 125.3228),
      }),
    );
    writeFileSync(join(dir, 'bad.txt'), `# known\n${bad}/32\n`);
    server = await startApp({
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
      SALLYPORT_LOCATION_DATABASE: join(dir, 'city.mmdb'),
      SALLYPORT_RISK_ADDRESSES: join(dir, 'bad.txt'),
      SALLYPORT_RISK: 'listed-address=end',
      SALLYPORT_BLOCK_ADDRESSES: blocked,
      SALLYPORT_BLOCK_COUNTRIES: 'CN',
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
    });
    const metadata = { redirect_uris: [callback] };
    const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata });
    clientId = client.id;
    app = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri: callback,
    });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A browser at an address; with `like` it has the device cookies of another one, whose session is over. */
  const browserAt = (ip: string, like?: WebClient): WebClient => {
    const web = new WebClient(server.url, { 'x-forwarded-for': ip });
    for (const [name, value] of like?.cookies() ?? []) if (/^sp_(device|known_)/.test(name)) web.setCookie(name, value);
    return web;
  };

  const enter = async (web: WebClient, person: Person) => {
    const attempt = await app.request();
    return { attempt, page: await signIn(web, await web.open(attempt.url), person) };
  };
  const isBack = ({ url }: Page): boolean => url.origin === 'https://app.example';

  const mailsTo = async ({ account }: Person) => {
    const all = await server.app.domains.notifications.list(500);
    return all.filter(({ to, template }) => to === account.email && template === 'unusual-activity');
  };
  const risksOf = async ({ account }: Person) => {
    const rows = await server.app.domains.audit.list({ subject: account.id, type: 'risk.detected', limit: 10 });
    return rows.map(({ details, ip }) => ({ signals: details?.signals, action: details?.action, ip }));
  };

  it('ask somebody without a second factor for a mailed code after a journey that nobody makes', async () => {
    const person = await createPerson(server);
    expect(isBack((await enter(browserAt(berlin), person)).page)).to.equal(true);
    const web = browserAt(sydney);
    const { page, attempt } = await enter(web, person);
    expectPage(page, 'email-code');
    expect(await risksOf(person)).to.deep.equal([
      { signals: ['new-device', 'impossible-travel'], action: 'second-factor', ip: sydney },
    ]);
    const [mail] = await mailsTo(person);
    expect(mail?.content?.text).to.include('cannot have reached').and.include(sydney);
    // Its first page is no way around it.
    expectPage(await web.open(String(page.url).replace(/[^/]+$/, 'login')), 'email-code');
    const sent = (await server.app.domains.notifications.list(500)).find(
      ({ to, template }) => to === person.account.email && template === 'sign-in-code',
    );
    const [code = ''] = /\b\d{8}\b/.exec(sent?.content?.text ?? '') ?? [];
    const end = await web.submit(page, { code, action: 'continue' }, 'code');
    expect((await app.redeem(end.url, attempt)).claims()?.acr).to.equal('aal1');
    const sessions = await server.app.domains.sessions.list(person.account.id);
    const standings = await server.app.domains.risk.standingOf(person.account.id, sessions);
    const seen = sessions.map(({ location }, index) => [location, standings[index]?.signals]);
    expect(seen).to.have.deep.members([
      ['Sydney, Australia', ['new-device', 'impossible-travel']],
      ['Berlin, Germany', []],
    ]);
    expect(Math.max(...standings.map(({ trust }) => trust))).to.be.above(
      Math.min(...standings.map(({ trust }) => trust)),
    );
  });

  it('let a remembered browser spare nothing far away', async () => {
    const person = await createPerson(server);
    const totp = await enrolTotp(server, person.account.id, person.login);
    const home = browserAt(berlin);
    const first = await enter(home, person);
    const back = await home.submit(
      expectPage(first.page, 'totp'),
      { code: await totp.code(), trust: 'yes', action: 'continue' },
      'code',
    );
    expect(isBack(back)).to.equal(true);
    const again = browserAt(berlin, home);
    expect(isBack((await enter(again, person)).page)).to.equal(true);
    expectPage((await enter(browserAt(sydney, again), person)).page, 'totp');
  });

  it('refuse a right password from a listed address like a wrong one, and tell its person', async () => {
    const person = await createPerson(server);
    const timed = async (web: WebClient, who: Person) => {
      const page = await web.open((await app.request()).url);
      const at = performance.now();
      return { page: await signIn(web, page, who), took: performance.now() - at };
    };
    const { page, took } = await timed(browserAt(bad), person);
    const refused = expectPage(page, 'login');
    const wrong = await timed(browserAt(berlin), { ...person, password: 'not the password of anybody' });
    // Both end with the same pause, behind which what was done about one of them is not seen.
    for (const milliseconds of [took, wrong.took]) expect(milliseconds).to.be.at.least(295);
    expect(refused.status).to.equal(wrong.page.status);
    const notice = ({ text }: Page) => /<div class="notice.*<\/div>/.exec(text)?.[0];
    expect(notice(refused))
      .to.be.a('string')
      .that.equals(notice(expectPage(wrong.page, 'login')));
    expect(await server.app.domains.sessions.list(person.account.id)).to.deep.equal([]);
    const [mail] = await mailsTo(person);
    expect(mail?.content?.subject).to.equal('Unusual use of your account was ended');
    expect(mail?.content?.text).to.include('known for attacks');
  });

  it('end a session whose cookie is somewhere else', async () => {
    const person = await createPerson(server);
    const web = browserAt(berlin);
    expect(isBack((await enter(web, person)).page)).to.equal(true);
    const thief = new WebClient(server.url, { 'x-forwarded-for': sydney });
    for (const [name, value] of web.cookies()) if (/session/.test(name)) thief.setCookie(name, value);
    expectPage(await thief.open((await app.request()).url), 'login');
    expect(await server.app.domains.sessions.list(person.account.id)).to.deep.equal([]);
    expectPage(await web.open((await app.request()).url), 'login');
    expect(await risksOf(person)).to.deep.equal([
      { signals: ['address-changed', 'impossible-travel'], action: 'second-factor', ip: sydney },
    ]);
    const [mail] = await mailsTo(person);
    expect(mail?.content?.subject).to.equal('Unusual use of your account was ended');
  });

  it('tell of a refresh token that was used twice', async () => {
    const person = await createPerson(server);
    const attempt = await app.request({ scope: 'openid offline_access', prompt: 'consent' });
    const web = browserAt(berlin);
    let page = await signIn(web, await web.open(attempt.url), person);
    if (page.url.origin === server.url) page = await web.submit(expectPage(page, 'consent'), { action: 'continue' });
    const tokens = await app.redeem(page.url, attempt);
    const refresh = (token: string) =>
      fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: clientId }),
      });
    const second = (await (await refresh(tokens.refresh_token ?? '')).json()) as { refresh_token: string };
    expect((await refresh(second.refresh_token)).status).to.equal(200);
    expect((await refresh(tokens.refresh_token ?? '')).status).to.equal(400);
    expect(await risksOf(person)).to.deep.equal([{ signals: ['token-reuse'], action: 'notify', ip: '127.0.0.1' }]);
    expect(await mailsTo(person)).to.have.lengthOf(1);
  });

  describe('places that may not come in', () => {
    it('see a page that says so, at every door for people, and can still sign out', async () => {
      for (const ip of [blocked, '175.16.199.1']) {
        const web = browserAt(ip);
        for (const path of [
          (await app.request()).url,
          '/account',
          '/account/register',
          '/account/forgot-password',
          '/admin',
        ]) {
          const page = await web.open(path);
          expect(page.status, `${ip} ${path}`).to.equal(403);
          expectPage(page, 'error');
          expect(page.text).to.include('not possible from this network');
        }
        const login = await fetch(`${server.url}/API/v1/auth/login/`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': ip },
          body: '{}',
        });
        expect(login.status).to.equal(403);
        expect((await web.open('/oauth2/logout')).status).to.equal(200);
      }
    });

    it('are open to services, and nobody else is kept out', async () => {
      const headers = { 'x-forwarded-for': blocked };
      expect((await fetch(`${server.url}/oauth2/jwks`, { headers })).status).to.equal(200);
      const refused = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams(),
      });
      expect(refused.status).to.equal(400);
      expect((await browserAt('198.51.100.8').open('/account/forgot-password')).status).to.equal(200);
    });
  });
});
