import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { type Page, readForm, WebClient } from '../support/web-client.ts';

const redirectUri = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;
const event = 'http://schemas.openid.net/event/backchannel-logout';

/** The end of an app that hears of logouts, as the standard wants it verified (§2.6). */
class Receiver {
  readonly tokens: string[] = [];
  #server: Server | undefined;
  address = '';

  async start(): Promise<void> {
    this.#server = createServer((req, res) => {
      req.setEncoding('utf8').on('data', (body: string) => {
        this.tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
        res.writeHead(200, { 'cache-control': 'no-store' }).end();
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/backchannel-logout`;
  }

  /** The next logout token. */
  async next(): Promise<string> {
    for (const end = Date.now() + 8_000; this.tokens.length === 0; ) {
      if (Date.now() > end) throw new Error('no logout token came');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.tokens.shift() ?? '';
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

describe('back-channel logout', function () {
  this.timeout(60_000);
  const receiver = new Receiver();
  let server: RunningApp;
  let party: RelyingParty;
  let clientId: string;
  let quiet: RelyingParty;

  async function register(metadata: object): Promise<{ party: RelyingParty; id: string }> {
    const { client } = await createClient(server, {
      kind: 'spa',
      metadata: { redirect_uris: [redirectUri], ...metadata },
    });
    const settings = { issuer: server.url, clientId: client.id, auth: oidc.None(), redirectUri };
    return { party: await RelyingParty.discover(settings), id: client.id };
  }

  before(async () => {
    await receiver.start();
    server = await startApp();
    const told = await register({ backchannel_logout_uri: receiver.address });
    [party, clientId] = [told.party, told.id];
    quiet = (await register({})).party;
  });
  after(async () => {
    receiver.stop();
    await server[Symbol.asyncDispose]();
  });

  async function enter(person: Person, app = party, web = new WebClient(server.url), scope = 'openid') {
    const attempt = await app.request({ scope, ...(scope.includes('offline') && { prompt: 'consent' }) });
    let page: Page = await web.open(attempt.url);
    if (page.name === 'login') page = await signIn(web, page, person);
    if (page.name === 'consent') page = await allow(web, page);
    const tokens = await app.redeem(page.url, attempt);
    return { web, tokens, idToken: decodeJwt(tokens.id_token ?? '') };
  }

  async function verified(token: string): Promise<JWTPayload> {
    const keys = createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`));
    const options = { issuer: server.url, audience: clientId, typ: 'logout+jwt', algorithms: ['ES256'] };
    const { payload } = await jwtVerify(token, keys, options);
    return payload;
  }

  it('is announced', async () => {
    const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata).to.include({ backchannel_logout_supported: true, backchannel_logout_session_supported: true });
  });

  it('sends a token that says what the standard wants, with the sid of the ID token', async () => {
    const person = await createPerson(server);
    const { idToken } = await enter(person);
    expect(idToken.sid).to.be.a('string');
    await server.app.domains.sessions.endAll(person.account.id, operator);
    const token = await receiver.next();
    const claims = await verified(token);
    expect(decodeProtectedHeader(token)).to.include({ typ: 'logout+jwt', alg: 'ES256' }).and.have.property('kid');
    expect(claims).to.have.all.keys('iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid');
    expect(claims).to.deep.include({ sub: person.account.id, sid: idToken.sid, events: { [event]: {} } });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).to.equal(120);
    expect(claims.jti).to.match(/^lgo_/);

    // Nobody can call an API of ours with it.
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${server.url}/oauth2/userinfo`, { headers })).status).to.equal(401);
  });

  it('keeps one sid for a session, other ones for other apps and sessions, and none where nobody needs it', async () => {
    const person = await createPerson(server);
    const first = await enter(person, party, undefined, 'openid offline_access');
    const again = await enter(person, party, first.web);
    expect(again.idToken.sid).to.equal(first.idToken.sid);
    const refreshed = await oidc.refreshTokenGrant(party.config, first.tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sid).to.equal(first.idToken.sid);
    expect((await enter(person)).idToken.sid).to.not.equal(first.idToken.sid);
    expect((await enter(person, quiet, first.web)).idToken).to.not.have.property('sid');
    expect(JSON.stringify(await server.app.domains.sessions.list(person.account.id))).to.not.include(
      String(first.idToken.sid),
    );
    await server.app.domains.sessions.endAll(person.account.id, operator);
    const sids = [await verified(await receiver.next()), await verified(await receiver.next())].map(({ sid }) => sid);
    expect(sids).to.include(first.idToken.sid);
  });

  it('comes of a sign-out by an app, once, and offline access stays', async () => {
    const person = await createPerson(server);
    const { web, tokens, idToken } = await enter(person, party, undefined, 'openid offline_access');
    const page = await web.open(`/oauth2/logout?id_token_hint=${tokens.id_token}`);
    await web.submit(page, { logout: 'yes' }, 'logout');
    expect(await verified(await receiver.next())).to.include({ sid: idToken.sid });
    expect((await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '')).access_token).to.be.a('string');
    await server.app.domains.backChannel.deliver();
    expect(receiver.tokens).to.deep.equal([]);
  });

  it('tells the one app that a person leaves while they stay signed in', async () => {
    const person = await createPerson(server);
    const { web, tokens, idToken } = await enter(person);
    const page = await web.open(`/oauth2/logout?id_token_hint=${tokens.id_token}`);
    const stay = page.text.slice(page.text.lastIndexOf('<form', page.text.indexOf('id="stay"')));
    const form = readForm(stay, 'xsrf');
    await web.post(form.action, form.fields);
    expect(await verified(await receiver.next())).to.include({ sid: idToken.sid });
    expect(await server.app.domains.sessions.list(person.account.id)).to.have.length(1);
  });

  it('comes of a disabled account, a new password and a deleted session, whatever did it', async () => {
    const ends: ((person: Person) => Promise<unknown>)[] = [
      ({ account }) => server.app.domains.accounts.disable(account.id, operator),
      ({ account }) =>
        server.app.domains.credentials.setPassword(account.id, 'a whole other password', { actor: operator }),
      async ({ account }) => {
        const [session] = await server.app.domains.sessions.list(account.id);
        return server.app.domains.sessions.end(session?.id ?? '', { kind: 'account', id: account.id });
      },
    ];
    for (const end of ends) {
      const person = await createPerson(server);
      const { idToken } = await enter(person);
      await end(person);
      expect(await verified(await receiver.next())).to.include({ sub: person.account.id, sid: idToken.sid });
    }
  });

  it('reaches apps that sign people in by themselves, with the id of that session', async () => {
    const direct = await DirectClient.register(server, {
      metadata: { redirect_uris: ['http://127.0.0.1/callback'], backchannel_logout_uri: receiver.address },
    });
    const person = await createPerson(server);
    const { body } = await direct.login(person, { scope: 'openid' });
    const { sid } = decodeJwt(textOf(body, 'id_token'));
    expect(sid).to.match(/^ses_/);
    await server.app.domains.sessions.endAll(person.account.id, operator);
    expect(decodeJwt(await receiver.next())).to.include({ aud: direct.id, sid, sub: person.account.id });
  });
});
