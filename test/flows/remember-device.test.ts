import { expect } from 'chai';
import * as oidc from 'openid-client';
import { asClientId } from '../../src/shared/ids.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

describe('a remembered browser', () => {
  let server: RunningApp;
  let app: RelyingParty;
  let strict: RelyingParty;

  before(async () => {
    server = await startApp({
      SALLYPORT_REMEMBER_DEVICE_DAYS: '30',
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
      SALLYPORT_LOCKOUT_TRIES: '3',
    });
    app = await registered();
    strict = await registered(true);
  });
  after(() => server[Symbol.asyncDispose]());

  async function registered(requireSecondFactor = false): Promise<RelyingParty> {
    const metadata = { redirect_uris: [callback] };
    const { client } = await createClient(server, { kind: 'spa', firstParty: true, requireSecondFactor, metadata });
    return RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri: callback });
  }

  const enrolled = async (): Promise<Person & Awaited<ReturnType<typeof enrolTotp>>> => {
    const person = await createPerson(server);
    return { ...person, ...(await enrolTotp(server, person.account.id, person.login)) };
  };

  /** Signs in with the app's request in this browser up to where the password leads. */
  const enter = async (web: WebClient, person: Person, parameters: Record<string, string> = {}, by = app) => {
    const attempt = await by.request(parameters);
    return { attempt, page: await signIn(web, await web.open(attempt.url), person) };
  };

  async function remember(person: Awaited<ReturnType<typeof enrolled>>): Promise<WebClient> {
    const web = new WebClient(server.url);
    const { page } = await enter(web, person);
    expect(expectPage(page, 'totp').text).to.include('Trust this browser for 30 days');
    const back = await web.submit(page, { code: await person.code(), trust: 'yes', action: 'continue' }, 'code');
    expect(back.url.origin).to.equal('https://app.example');
    return web;
  }

  /** The same browser, whose session is over. */
  const later = (web: WebClient): WebClient => {
    const next = new WebClient(server.url);
    for (const [name, value] of web.cookies()) if (/^sp_(device|known_)/.test(name)) next.setCookie(name, value);
    return next;
  };

  const cameBack = ({ page }: { page: Page }): boolean => page.url.origin === 'https://app.example';

  it('is not asked for the code again, and the tokens do not call it two factors', async () => {
    const person = await enrolled();
    const web = later(await remember(person));
    const tokenOf = () => [...web.cookies()].find(([name]) => name.startsWith('sp_known_'))?.[1];
    const before = tokenOf();
    const entered = await enter(web, person);
    expect(cameBack(entered)).to.equal(true);
    const claims = (await app.redeem(entered.page.url, entered.attempt)).claims();
    expect(claims?.acr).to.equal('aal1');
    expect(claims?.amr).to.have.members(['pwd', 'remembered_device']);
    expect(tokenOf()).to.be.a('string').that.does.not.equal(before);
    // The session goes on: the account's own wish was met.
    const again = await app.request();
    expect((await web.open(again.url)).url.origin).to.equal('https://app.example');
  });

  it('is asked all the same where an app, the request or its age demands it', async () => {
    const person = await enrolled();
    const web = await remember(person);
    expectPage((await enter(later(web), person, { acr_values: 'aal2' })).page, 'totp');
    expectPage((await enter(later(web), person, { max_age: '600' })).page, 'totp');
    expectPage((await enter(later(web), person, {}, strict)).page, 'totp');
    const session = later(web);
    expect(cameBack(await enter(session, person))).to.equal(true);
    // A step-up asks for exactly what is missing.
    expectPage(await session.open((await app.request({ acr_values: 'aal2' })).url), 'totp');
  });

  it('is remembered for one account and one browser only, and not without the tick', async () => {
    const [person, other] = [await enrolled(), await enrolled()];
    const web = await remember(person);
    expectPage((await enter(later(web), other)).page, 'totp');
    const thief = new WebClient(server.url);
    for (const [name, value] of web.cookies()) if (name.startsWith('sp_known_')) thief.setCookie(name, value);
    expectPage((await enter(thief, person)).page, 'totp');
    const plain = new WebClient(server.url);
    const { page } = await enter(plain, other);
    await plain.submit(page, { code: await other.code(), action: 'continue' }, 'code');
    expectPage((await enter(later(plain), other)).page, 'totp');
  });

  it('is a stranger again after it was forgotten, and loses its cookie', async () => {
    const { devices } = server.app.domains;
    const person = await enrolled();
    const web = await remember(person);
    await devices.forgetAll(person.account.id, { by: { kind: 'operator' }, reason: 'test' });
    const gone = later(web);
    expectPage((await enter(gone, person)).page, 'totp');
    expect([...gone.cookies().keys()].filter((name) => name.startsWith('sp_known_'))).to.deep.equal([]);
  });

  it('cannot be locked out by a stranger who guesses', async () => {
    const person = await enrolled();
    const web = await remember(person);
    const { signIn: engine } = server.app.domains;
    const meta = { ip: '192.0.2.1' };
    for (const guess of ['one', 'two', 'three']) {
      const start = { clientId: asClientId('app_test'), requirement: { secondFactor: false } };
      await engine.submitPassword(`${guess} ${person.login}`, { login: person.login, password: guess, start }, meta);
    }
    expectPage((await enter(new WebClient(server.url), person)).page, 'login');
    expect(cameBack(await enter(later(web), person))).to.equal(true);
  });
});
