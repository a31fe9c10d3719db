import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { generate } from 'otplib';
import { registeredApp, roomy } from '../flows/entry-visitor.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

/** Until a sign-in is of another second than all before. */
const nextSecond = (): Promise<void> => delay(1000 - (Date.now() % 1000));

describe('what an app is told of a sign-in', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    server = await startApp({ ...roomy, SALLYPORT_EMAIL_SIGN_IN: 'code', SALLYPORT_REMEMBER_DEVICE_DAYS: '30' });
    app = await registeredApp(server);
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** What the app is told without a page: the claims, or the error. */
  const silently = async (web: WebClient, parameters: Record<string, string> = {}) => {
    const attempt = await app.request({ prompt: 'none', ...parameters });
    const { url } = await web.open(attempt.url);
    return url.searchParams.get('error') ?? (await app.redeem(url, attempt)).claims();
  };

  /** Somebody who signed in at the app, and the ID token that it has of them. */
  const signedIn = async (person: Person) => {
    const web = new WebClient(server.url);
    const attempt = await app.request();
    const { url } = await signIn(web, await web.open(attempt.url), person);
    return { web, idToken: (await app.redeem(url, attempt)).id_token ?? '' };
  };

  const enterByMail = async ({ login, account }: Person): Promise<WebClient> => {
    const web = new WebClient(server.url);
    const login0 = expectPage(await web.open((await app.request()).url), 'login');
    const form = await web.open(/href="(\/sign-in\/[\w-]+\/email)"/.exec(login0.text)?.[1] ?? '');
    const sent = await web.submit(form, { username: login, action: 'continue' }, 'username');
    const [mail] = (await server.app.domains.notifications.list(100)).filter(({ to }) => to === account.email);
    const code = /^(\d{8})$/m.exec(mail?.content?.text ?? '')?.[1] ?? '';
    const { url } = await web.submit(sent, { action: 'continue', code }, 'csrf', 'action');
    expect(url.searchParams.has('code')).to.equal(true);
    return web;
  };

  it('is one factor of a mailbox and an authenticator that was set up with it', async () => {
    const person = await createPerson(server);
    const web = await enterByMail(person);
    const page = expectPage(await web.open('/account/two-step/authenticator'), 'account-authenticator');
    const secret = /data-text="([A-Z2-7]+)"/.exec(page.text)?.[1] ?? '';
    const done = await web.submit(page, { code: await generate({ secret }), action: 'continue' });
    expect(done.status, done.text).to.equal(200);
    expect((await server.app.domains.credentials.factorsOf(person.account.id)).totp).to.equal(true);
    expect(await silently(web)).to.deep.include({ acr: 'aal1', amr: ['email', 'otp'] });
    expect(await silently(web, { acr_values: 'aal2' })).to.equal('login_required');
  });

  it('is no second factor that was shown before the password was changed', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const web = new WebClient(server.url);
    const second = await signIn(web, await web.open('/account/password'), person);
    const page = await web.submit(expectPage(second, 'totp'), { code: await code(), action: 'continue' }, 'code');
    const next = 'seven quiet lamps over water';
    const fields = { 'current-password': person.password, 'new-password': next, action: 'continue' };
    await web.submit(expectPage(page, 'account-password'), fields, 'new-password');
    expect(await silently(web, { acr_values: 'aal2' })).to.equal('login_required');
    expect(await silently(web)).to.equal('login_required');
  });

  it('is as old as it was when somebody set a first password', async () => {
    const person = await createPerson(server);
    const web = await enterByMail(person);
    await server.app.database.sql('password').where({ account_id: person.account.id }).delete();
    const before = (await silently(web)) as oidc.IDToken;
    await nextSecond();
    const page = expectPage(await web.open('/account/password'), 'account-password');
    await web.submit(page, { 'new-password': 'seven quiet lamps over water', action: 'continue' }, 'new-password');
    expect((await server.app.domains.credentials.factorsOf(person.account.id)).password).to.equal(true);
    expect(await silently(web)).to.deep.include({ amr: ['email'], auth_time: before.auth_time });
  });

  for (const more of [{ prompt: 'login' }, { max_age: '1' }, { max_age: '0' }, { prompt: 'select_account' }]) {
    it(`is nothing of anybody but whom its ID token names, asked with ${JSON.stringify(more)}`, async () => {
      const [named, other] = [await createPerson(server), await createPerson(server)];
      const { web, idToken } = await signedIn(named);
      if ('max_age' in more) await delay(2_100);
      const attempt = await app.request({ id_token_hint: idToken, ...more });
      let page = await web.open(attempt.url);
      if (page.name === 'select-account') page = await web.submit(page, { action: 'restart' }, 'account');
      const refused = await signIn(web, page, other);
      expect(expectPage(refused, 'login').status).to.equal(422);
      const { url } = await signIn(web, refused, named);
      expect((await app.redeem(url, attempt)).claims()?.sub).to.equal(named.account.id);
    });
  }

  it('is nothing of somebody who came in between, in another tab', async () => {
    const [named, other] = [await createPerson(server), await createPerson(server)];
    const { web, idToken } = await signedIn(named);
    const attempt = await app.request({ id_token_hint: idToken, prompt: 'login' });
    const waiting = expectPage(await web.open(attempt.url), 'login');
    const tab = await web.open((await app.request({ prompt: 'login' })).url);
    await signIn(web, tab, other);
    const { url } = await signIn(web, waiting, named);
    const told = url.searchParams.has('code') ? (await app.redeem(url, attempt)).claims()?.sub : undefined;
    expect(told).to.not.equal(other.account.id);
  });

  for (const prompt of ['select_account login', 'login consent']) {
    it(`is a second factor that was asked for with prompt=${prompt}, also of another account on a known browser`, async () => {
      const person = await createPerson(server);
      const { code } = await enrolTotp(server, person.account.id, person.login);
      const { client } = await createClient(server, {
        kind: 'spa',
        firstParty: prompt !== 'login consent',
        metadata: { redirect_uris: [redirectUri] },
      });
      const theirs = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri };
      const asking = await RelyingParty.discover(theirs);
      const web = new WebClient(server.url);
      const door = await signIn(web, await web.open((await app.request()).url), person);
      const fields = { code: await code(), trust: 'yes', action: 'continue' };
      await web.submit(expectPage(door, 'totp'), fields, 'code');
      let page = await web.open((await asking.request({ prompt })).url);
      if (page.name === 'login') {
        page = await signIn(web, page, person);
        page = await web.submit(expectPage(page, 'totp'), { code: await code(1), action: 'continue' }, 'code');
      }
      const anew = await web.submit(page, { action: 'restart' }, 'action');
      expectPage(await signIn(web, anew, person), 'totp');
    });
  }
});
