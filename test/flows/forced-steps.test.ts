import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const fresh = 'seven quiet lanterns over Fernhill';

describe('steps that a sign-in cannot go around', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000', SALLYPORT_PASSWORD_MAX_AGE_DAYS: '90' });
    const metadata = { redirect_uris: [callback] };
    const { client } = await createClient(server, { kind: 'spa', firstParty: true, metadata });
    const about = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback };
    app = await RelyingParty.discover(about);
  });
  after(() => server[Symbol.asyncDispose]());

  const enter = async (person: Pick<Person, 'login' | 'password'>) => {
    const web = new WebClient(server.url);
    const attempt = await app.request();
    const page = await signIn(web, await web.open(attempt.url), person);
    const base = page.url.pathname.replace(/\/[a-z-]+$/, '');
    return { web, attempt, page, base };
  };

  /** Opens and posts every page of the sign-in: each must lead back to `name`, and none to the app. */
  async function cannotBeWalkedAround(web: WebClient, page: Page, base: string, name: string): Promise<void> {
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const paths = ['', 'login', 'second-factor', 'backup-code', 'enroll', 'backup-codes', 'offer-passkey', 'passkey'];
    for (const path of [...paths, 'verify-email', 'change-password', 'email-code', 'email', 'consent']) {
      expect((await web.open(`${base}/${path}`)).name, `GET ${path}`).to.equal(name);
      if (path === 'consent') continue;
      const posted = await web.post(`${base}/${path}`, { csrf, action: 'continue', code: '123456', stored: 'yes' });
      expect(posted.url.origin, `POST ${path}`).to.equal(server.url);
      expect(posted.name, `POST ${path}`).to.be.oneOf([name, 'login']);
    }
  }

  describe('an address that waits to be confirmed', () => {
    async function unverified(): Promise<Person> {
      const person = await createPerson(server);
      await server.app.database
        .sql('account')
        .where({ id: person.account.id })
        .update({ status: 'unverified', email_verified: false });
      return person;
    }

    it('is said after the right password and never before', async () => {
      const person = await unverified();
      const wrong = await enter({ ...person, password: 'not it at all' });
      const nobody = await enter({ login: `no-${person.login}`, password: person.password });
      const plain = (page: Page): string =>
        expectPage(page, 'login')
          .text.replace(/value="[^"]*"|data-request="[^"]*"|req_\w+|sign_in=[\w-]+/g, '')
          .replace(/\s+/g, ' ');
      expect(plain(wrong.page)).to.equal(plain(nobody.page));
      const right = await enter(person);
      expect(expectPage(right.page, 'unverified').text).to.include(person.account.email);
      await cannotBeWalkedAround(right.web, right.page, right.base, 'unverified');
      const back = await right.web.open(`/oauth2/authorize/${right.base.split('/').at(-1)}`);
      expect(back.url.origin).to.equal(server.url);
    });

    it('lets the person go on as soon as the mailed link was used, in whatever browser', async () => {
      const person = await unverified();
      const { web, attempt, page } = await enter(person);
      const again = await web.submit(expectPage(page, 'unverified'), { action: 'resend' }, 'csrf', 'action');
      expect(expectPage(again, 'unverified').text).to.include('on its way');
      const still = await web.submit(again, { action: 'continue' }, 'csrf', 'action');
      expectPage(still, 'unverified');
      const { notifications, registration } = server.app.domains;
      const mail = (await notifications.list(50)).find(({ to }) => to === person.account.email);
      const token = /token=([\w-]{43})/.exec(mail?.content?.text ?? '')?.[1] ?? '';
      expect((await registration.verifyEmail(token, { password: person.password })).outcome).to.equal('verified');
      const back = await web.submit(still, { action: 'continue' }, 'csrf', 'action');
      expect((await app.redeem(back.url, attempt)).claims()?.sub).to.equal(person.account.id);
    });
  });

  describe('a password that has to be changed', () => {
    const change = (web: WebClient, page: Page, password: string): Promise<Page> =>
      web.submit(page, { 'new-password': password, action: 'continue' }, 'new-password');

    it('is changed after all factors, by the rules, and the tokens that follow work', async () => {
      const person = await createPerson(server);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      await server.app.domains.passwordPolicy.requireChange(person.account.id);
      const { web, attempt, page, base } = await enter(person);
      const due = await web.submit(expectPage(page, 'totp'), { code: await code(), action: 'continue' }, 'code');
      await cannotBeWalkedAround(web, expectPage(due, 'change-password'), base, 'change-password');
      for (const bad of ['', 'short', person.password, person.login]) {
        const refused = expectPage(
          await change(web, await web.open(`${base}/change-password`), bad),
          'change-password',
        );
        expect(refused.status).to.equal(422);
        expect(refused.text).to.include('role="alert"');
      }
      const back = await change(web, await web.open(`${base}/change-password`), fresh);
      const tokens = await app.redeem(back.url, attempt);
      expect(tokens.claims()).to.include({ acr: 'aal2' });
      const user = await oidc.fetchUserInfo(app.config, tokens.access_token, person.account.id);
      expect(user.sub).to.equal(person.account.id);
      // The session is not among those that ended with the old password.
      expect((await web.open((await app.request()).url)).url.origin).to.equal('https://app.example');
      expectPage((await enter({ login: person.login, password: person.password })).page, 'login');
      expectPage((await enter({ login: person.login, password: fresh })).page, 'totp');
    });

    it('is changed when it is older than the installation allows', async () => {
      const person = await createPerson(server);
      const old = new Date(Date.now() - 91 * 86_400_000);
      await server.app.database.sql('password').where({ account_id: person.account.id }).update({ changed_at: old });
      const { web, page } = await enter(person);
      const back = await change(web, expectPage(page, 'change-password'), `${fresh} still`);
      expect(back.url.origin).to.equal('https://app.example');
    });

    it('is changed once by a form that is sent ten times', async () => {
      const person = await createPerson(server);
      await server.app.domains.passwordPolicy.requireChange(person.account.id);
      const { web, page } = await enter(person);
      const posts = Array.from({ length: 10 }, (_, index) => change(web, page, `${fresh} number ${index}`));
      const ends = await Promise.all(posts.map((post) => post.catch(() => undefined)));
      const places = ends.map((end) => end && `${end.status} ${end.name} ${end.url.href}`);
      expect(places.join('\n')).to.include('https://app.example/callback?code=');
      const { audit } = server.app.domains;
      const rows = await audit.list({ subject: person.account.id, type: 'password.changed', limit: 50 });
      expect(rows.filter(({ details }) => details?.first !== true)).to.have.length(1);
    });
  });
});
