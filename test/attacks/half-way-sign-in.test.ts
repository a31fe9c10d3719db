import { expect } from 'chai';
import * as oidc from 'openid-client';
import { generate } from 'otplib';
import type { CreationOptions } from '../../src/passkeys/index.ts';
import { follow, mailed, roomy } from '../flows/entry-visitor.ts';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';

/** The key that the page shows for an authenticator app. */
function secretOn(html: string): string {
  const found =
    /[?&](?:amp;)?secret=([A-Z2-7]+)/.exec(html)?.[1] ?? /<code[^>]*>([A-Z2-7 ]{32,})<\/code>/.exec(html)?.[1];
  expect(found, html.slice(0, 300)).to.be.a('string');
  return found?.replaceAll(' ', '') ?? '';
}

/** A thief who knows the old password has opened the first door and waits; then the owner takes the account back. */
describe('a sign-in that stands half-way when its account is taken back', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    const port = await freePort();
    server = await startApp({
      ...roomy,
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_REGISTRATION: 'open',
    });
    const input = { kind: 'spa', firstParty: true, metadata: { redirect_uris: [redirectUri] } } as const;
    const { client } = await createClient(server, input);
    app = await RelyingParty.discover({ issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri });
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** The owner sets another password by the mailed link. */
  async function takeBack({ account, login }: Person): Promise<string> {
    await server.app.domains.recovery.requestReset(login, {});
    const { path } = await mailed(server, account.email, 'reset-password');
    const next = goodPassword();
    const done = await follow(new WebClient(server.url), path, { 'new-password': next });
    expect(done.text).to.include('data-page="reset-password"');
    expect(await server.app.domains.credentials.verifyPassword(account.id, next)).to.equal(true);
    await secondOver();
    return next;
  }

  it('sets up no authenticator app of the thief', async () => {
    const person = await createPerson(server);
    const thief = new WebClient(server.url);
    const page = await signIn(thief, await thief.open((await app.request({ acr_values: 'aal2' })).url), person);
    expectPage(page, 'enroll-totp');
    const secret = secretOn(page.text);
    await takeBack(person);
    const after = await thief.submit(page, { code: await generate({ secret }), action: 'continue' }, 'code');
    const { totp, backupCodes } = await server.app.domains.credentials.factorsOf(person.account.id);
    expect({ page: after.name, totp, backupCodes }).to.deep.include({ totp: false, backupCodes: 0 });
  });

  it('chooses no password in the place of the one that an operator gave out', async () => {
    const person = await createPerson(server);
    const { credentials } = server.app.domains;
    const thief = new WebClient(server.url);
    const attempt = await app.request({ acr_values: 'aal2' });
    const page = expectPage(await signIn(thief, await thief.open(attempt.url), person), 'enroll-totp');
    const secret = secretOn(page.text);
    const given = goodPassword();
    await credentials.setPassword(person.account.id, given, { actor: { kind: 'operator' }, mustChange: true });
    await secondOver();
    let next = await thief.submit(page, { code: await generate({ secret }), action: 'continue' }, 'code');
    if (next.name === 'backup-codes') {
      const field = /type="checkbox"[^>]*name="([^"]+)"/.exec(next.text)?.[1] ?? 'saved';
      next = await thief.submit(next, { [field]: 'yes', action: 'continue' }, 'csrf', 'action');
    }
    const chosen = goodPassword();
    if (next.name === 'change-password')
      next = await thief.submit(next, { 'new-password': chosen, action: 'continue' }, 'new-password');
    expect({
      at: next.name,
      code: next.url.searchParams.has('code'),
      given: await credentials.verifyPassword(person.account.id, given),
      chosen: await credentials.verifyPassword(person.account.id, chosen),
    }).to.deep.include({ code: false, given: true, chosen: false });
  });

  it('adds no passkey of the thief', async () => {
    const person = await createPerson(server);
    const thief = new WebClient(server.url);
    // The browser is known from before; what is offered once is offered again later.
    await signIn(thief, await thief.open((await app.request()).url), person);
    await server.app.database.sql('passkey_offer').where({ account_id: person.account.id }).delete();
    const page = await signIn(thief, await thief.open((await app.request({ prompt: 'login' })).url), person);
    expectPage(page, 'offer-passkey');
    const json =
      /data-passkey-options="([^"]+)"/.exec(page.text)?.[1] ??
      /data-[\w-]*options="([^"]+)"/.exec(page.text)?.[1] ??
      '';
    const options = JSON.parse(json.replaceAll('&#34;', '"').replaceAll('&quot;', '"')) as CreationOptions;
    await takeBack(person);
    const key = createAuthenticator({ origin: server.url });
    const passkey = JSON.stringify(key.create(options));
    await thief.submit(page, { action: 'passkey', passkey }, 'csrf', 'action').catch(() => undefined);
    expect(await server.app.domains.passkeys.countOf(person.account.id)).to.equal(0);
  });

  it('sets up nothing in an account that its owner took over at the confirmation of the address', async () => {
    const { registration, accounts, credentials } = server.app.domains;
    const [email, password] = [newAddress(), goodPassword()];
    await registration.register({ email, password });
    const thief = new WebClient(server.url);
    const attempt = await app.request({ acr_values: 'aal2' });
    const waits = await signIn(thief, await thief.open(attempt.url), { login: email, password });
    expectPage(waits, 'unverified');
    const { token } = await mailed(server, email, 'verify-email');
    expect(await registration.verifyEmail(token, { newPassword: goodPassword() })).to.include({ outcome: 'verified' });
    await secondOver();
    const next = await thief.submit(waits, { action: 'continue' }, 'csrf', 'action');
    if (next.name === 'enroll-totp') {
      await thief.submit(next, { code: await generate({ secret: secretOn(next.text) }), action: 'continue' }, 'code');
    }
    const account = await accounts.findByLogin(email);
    const { totp } = account ? await credentials.factorsOf(account.id) : { totp: true };
    expect({ at: next.name, totp }).to.deep.include({ totp: false });
  });

  it('gives no tokens to an app that signs in by itself', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const direct = await DirectClient.register(server);
    const { body } = await direct.login(person);
    const challenge_id = textOf(body, 'challenge_id');
    await takeBack(person);
    const answer = await direct.post('login/2fa', { challenge_id, code: await code() });
    const token = answer.body.access_token;
    const used = await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect({ login: answer.status, userinfo: used.status }).to.deep.include({ userinfo: 401 });
    expect(answer.status).to.not.equal(200);
  });

  it('opens no session of a browser', async () => {
    const person = await createPerson(server);
    const { code } = await enrolTotp(server, person.account.id, person.login);
    const thief = new WebClient(server.url);
    const attempt = await app.request();
    const page = expectPage(await signIn(thief, await thief.open(attempt.url), person), 'totp');
    await takeBack(person);
    const end = await thief.submit(page, { code: await code(), action: 'continue' }, 'code');
    expect(end.url.searchParams.has('code')).to.equal(false);
  });
});
