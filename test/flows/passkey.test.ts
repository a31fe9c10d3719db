import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { RequestOptions } from '../../src/passkeys/index.ts';
import { type Authenticator, type Changes, createAuthenticator } from '../passkeys/authenticator.ts';
import { createClient, createPerson, enrolTotp, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, signInBase, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

describe('passkeys at the doors', () => {
  let server: RunningApp;
  let app: RelyingParty;

  before(async () => {
    const port = await freePort();
    server = await startApp({
      PORT: String(port),
      SALLYPORT_ISSUER: `http://localhost:${port}`,
      SALLYPORT_LIMIT_SIGN_IN_ADDRESS: '10000',
    });
    const { client } = await createClient(server, {
      kind: 'spa',
      firstParty: true,
      metadata: { redirect_uris: [callback] },
    });
    app = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri: callback,
    });
  });
  after(() => server[Symbol.asyncDispose]());

  async function withPasskey(): Promise<{ person: Person; key: Authenticator }> {
    const person = await createPerson(server);
    const { passkeys } = server.app.domains;
    const key = createAuthenticator({ origin: server.url });
    const options = await passkeys.beginRegistration(person.account, 'test');
    await passkeys.finishRegistration(person.account, 'test', key.create(options));
    return { person, key };
  }

  async function optionsOf(web: WebClient, page: Page): Promise<RequestOptions> {
    const response = await web.fetch(`${signInBase(page)}/passkey-options`);
    expect(response.status).to.equal(200);
    expect(response.headers.get('cache-control')).to.include('no-store');
    return (await response.json()) as RequestOptions;
  }

  async function show(web: WebClient, page: Page, key: Authenticator, changes: Changes = {}): Promise<Page> {
    const passkey = JSON.stringify(key.get(await optionsOf(web, page), changes));
    return web.submit(page, { action: 'passkey', passkey }, 'csrf', 'action');
  }

  const start = async (parameters: Record<string, string> = {}) => {
    const web = new WebClient(server.url);
    const attempt = await app.request(parameters);
    return { web, attempt, page: expectPage(await web.open(attempt.url), 'login') };
  };

  it('open both doors at once, without a name, when the authenticator knew the person', async () => {
    const { person, key } = await withPasskey();
    await enrolTotp(server, person.account.id, person.login);
    const { web, attempt, page } = await start({ acr_values: 'aal2' });
    const options = await optionsOf(web, page);
    expect(options.allowCredentials, 'says nothing about anybody').to.deep.equal([]);
    expect(options.userVerification).to.equal('required');
    const claims = (await app.redeem((await show(web, page, key)).url, attempt)).claims();
    expect(claims).to.include({ sub: person.account.id, acr: 'aal2' });
    expect(claims?.amr).to.have.members(['hwk', 'user', 'mfa']);
  });

  it('need the password too when it did not, and are two factors with it', async () => {
    const { person, key } = await withPasskey();
    const { web, attempt, page } = await start();
    const again = expectPage(await show(web, page, key, { verified: false }), 'login');
    expect(again.text).to.include(`value="${person.login}"`);
    const other = await createPerson(server);
    const wrong = expectPage(await web.submit(again, { username: person.login, password: other.password }), 'login');
    const claims = (await app.redeem((await signIn(web, wrong, person)).url, attempt)).claims();
    expect(claims).to.include({ sub: person.account.id, acr: 'aal2' });
    expect(claims?.amr).to.have.members(['hwk', 'user', 'pwd', 'mfa']);
  });

  it('are asked for after the password of somebody who has no other second factor', async () => {
    const { person, key } = await withPasskey();
    const { web, attempt, page } = await start();
    const second = expectPage(await signIn(web, page, person), 'passkey');
    const options = await optionsOf(web, second);
    expect(options.allowCredentials?.map(({ id }) => id)).to.deep.equal([key.credentialId]);
    const claims = (await app.redeem((await show(web, second, key, { verified: false })).url, attempt)).claims();
    expect(claims?.amr).to.have.members(['pwd', 'hwk', 'user', 'mfa']);
  });

  it('are refused in one way: unknown, of somebody else, used before, or of somebody suspended', async () => {
    const { person, key } = await withPasskey();
    const stranger = await withPasskey();
    const { accounts, audit, passkeys } = server.app.domains;
    const suspended = await withPasskey();
    await accounts.disable(suspended.person.account.id, { kind: 'operator' });
    const removed = await withPasskey();
    await passkeys.removeAll(removed.person.account.id);

    const first = await start();
    for (const other of [suspended.key, removed.key]) {
      const page = expectPage(await show(first.web, first.page, other), 'login');
      expect(page.status).to.equal(422);
      expect(page.text).to.include('That passkey does not sign anybody in here.');
    }
    const refused = await show(first.web, first.page, removed.key);
    expect(refused.text).to.include('data-passkey-signals');
    const empty = await first.web.submit(first.page, { action: 'passkey', passkey: '' }, 'csrf', 'action');
    expect(expectPage(empty, 'login').status).to.equal(422);

    const second = await start();
    const door = expectPage(await signIn(second.web, second.page, person), 'passkey');
    expect(expectPage(await show(second.web, door, stranger.key), 'passkey').status).to.equal(422);
    const passkey = JSON.stringify(key.get(await optionsOf(second.web, door)));
    const fields = { action: 'passkey', passkey };
    const wrong = { action: 'passkey', passkey: JSON.stringify(key.get(await optionsOf(first.web, first.page))) };
    // The challenge of another sign-in.
    expectPage(await second.web.submit(door, wrong, 'csrf', 'action'), 'passkey');
    const ends = await Promise.all(
      Array.from({ length: 10 }, () => second.web.submit(door, fields, 'csrf', 'action').catch(() => undefined)),
    );
    const codes = new Set(ends.map((end) => end?.url.searchParams.get('code')).filter((code) => code));
    expect(codes.size).to.be.at.most(1);
    const rows = await audit.list({ subject: person.account.id, type: 'second_factor.failed', limit: 50 });
    expect(rows.map(({ details }) => details?.reason)).to.include('passkey:wrong_passkey');
  });

  it('lead nowhere with a challenge of the first door at the second one', async () => {
    const { person } = await withPasskey();
    const stranger = await withPasskey();
    const { web, page } = await start();
    const early = await optionsOf(web, page);
    const door = expectPage(await signIn(web, page, person), 'passkey');
    const passkey = JSON.stringify(stranger.key.get(early));
    const end = expectPage(await web.submit(door, { action: 'passkey', passkey }, 'csrf', 'action'), 'passkey');
    expect(end.status).to.equal(422);
  });

  it('stand for a step-up that a session with a password is not enough for', async () => {
    const { person, key } = await withPasskey();
    await enrolTotp(server, person.account.id, person.login);
    const { web, attempt, page } = await start();
    const totp = expectPage(await signIn(web, page, person), 'totp');
    expect((await app.redeem((await show(web, totp, key)).url, attempt)).claims()?.acr).to.equal('aal2');
    const again = await app.request({ max_age: '0' });
    const login = expectPage(await web.open(again.url), 'login');
    const claims = (await app.redeem((await show(web, login, key)).url, again)).claims();
    expect(claims?.amr).to.have.members(['hwk', 'user', 'mfa']);
  });
});
