import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;

describe('GET /api/v1/me', () => {
  let server: RunningApp;
  let resource: string;
  let person: Person;

  before(async () => {
    server = await startApp();
    resource = `${server.url}/api/v1`;
    person = await createPerson(server);
  });
  after(() => server[Symbol.asyncDispose]());

  const register = async (apis: Record<string, string[]>, firstParty = true) => {
    const { client } = await createClient(server, {
      kind: 'spa',
      firstParty,
      apis,
      metadata: { redirect_uris: [callback] },
    });
    const app = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: oidc.None(),
      redirectUri: callback,
    });
    return { client, app };
  };

  async function tokensFor(app: RelyingParty, who: Person, scope: string, target?: string) {
    const web = new WebClient(server.url);
    const wanted = target === undefined ? {} : { resource: target };
    const attempt = await app.request({ scope, ...wanted });
    const end = await signIn(web, await web.open(attempt.url), who);
    const back = end.name === 'consent' ? await allow(web, end) : end;
    return app.redeem(back.url, attempt, wanted);
  }

  const me = (token: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${resource}/me`, { ...init, headers: { authorization: `Bearer ${token}` } });

  it('shows people their account, through an app that was granted this', async () => {
    const { app } = await register({ [resource]: ['account:read'] });
    const tokens = await tokensFor(app, person, 'openid account:read', resource);
    const answer = await me(tokens.access_token);
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('etag')).to.equal(`"${person.account.version}"`);
    expect(await answer.json()).to.deep.equal({
      sub: person.account.id,
      preferred_username: person.login,
      username: person.login,
      name: 'Mara Lindgren',
      given_name: 'Mara',
      family_name: 'Lindgren',
      locale: 'en-GB',
      zoneinfo: 'Europe/Berlin',
      updated_at: Math.floor(person.account.updatedAt / 1000),
      email: person.account.email,
      email_verified: true,
      phone_number: '+4930123456',
      phone_number_verified: false,
      address: { street_address: 'Gate 1', locality: 'Fernhill', country: 'DE' },
    });
    const head = await me(tokens.access_token, { method: 'HEAD' });
    expect([head.status, await head.text()]).to.deep.equal([200, '']);
  });

  it('asks for consent in words before an app of somebody else gets that far', async () => {
    const { app } = await register({ [resource]: [] }, false);
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid account:read', resource });
    const consent = await signIn(web, await web.open(attempt.url), person);
    expect(consent.name).to.equal('consent');
    expect(consent.text).to.include('Sallyport account API').and.include('See your profile, email address');
    const tokens = await app.redeem((await allow(web, consent)).url, attempt, { resource });
    expect((await me(tokens.access_token)).status).to.equal(200);
  });

  it('is closed to apps that no administrator gave it to', async () => {
    const { app } = await register({});
    const attempt = await app.request({ scope: 'openid account:read', resource });
    const web = new WebClient(server.url);
    const end = await web.open(attempt.url);
    expect(end.url.searchParams.get('error')).to.equal('invalid_target');
  });

  it('takes no token that is for something else', async () => {
    const api = await createApi(server);
    const { app } = await register({ [api]: [], [resource]: ['account:write'] });
    const { access_token: opaque, id_token: idToken = '' } = await tokensFor(app, person, 'openid profile');
    const { access_token: other } = await tokensFor(app, person, 'openid notes:read', api);
    for (const token of [opaque, idToken, other, `${other}x`, '', 'eyJhbGciOiJub25lIn0.e30.']) {
      expect((await me(token)).status, token.slice(0, 40)).to.equal(401);
    }
    const { access_token: narrow } = await tokensFor(app, person, 'openid account:write', resource);
    expect((await me(narrow)).status).to.equal(403);
  });

  it('knows that a machine is no person', async () => {
    const { client, secret } = await createClient(server, { kind: 'machine', apis: { [resource]: ['account:read'] } });
    const config = await oidc.discovery(new URL(server.url), client.id, {}, oidc.ClientSecretBasic(secret), {
      execute: [oidc.allowInsecureRequests],
    });
    const tokens = await oidc.clientCredentialsGrant(config, { resource, scope: 'account:read' });
    expect((await me(tokens.access_token)).status).to.equal(403);
  });

  it('stops at once when the token, the account or the app is stopped', async () => {
    const { app, client } = await register({ [resource]: [] });
    const who = await createPerson(server);
    const { accounts, clients } = server.app.domains;
    const token = async (): Promise<string> =>
      (await tokensFor(app, who, 'openid account:read', resource)).access_token;

    const revoked = await token();
    expect((await me(revoked)).status).to.equal(200);
    await oidc.tokenRevocation(app.config, revoked);
    expect((await me(revoked)).status).to.equal(401);

    const held = await token();
    expect((await me(held)).status).to.equal(200);
    await clients.update(client.id, client.version, { disabled: true }, operator);
    expect((await me(held)).status).to.equal(401);
    const off = await clients.find(client.id);
    await clients.update(client.id, off?.version ?? 0, { disabled: false }, operator);
    expect((await me(held)).status).to.equal(200);

    await accounts.disable(who.account.id, operator);
    expect((await me(held)).status).to.equal(401);
    await accounts.enable(who.account.id, operator);
    expect((await me(held)).status, 'what was taken away stays away').to.equal(401);
  });

  it('stops when the person signs out of the browser that the token came from', async () => {
    const { app } = await register({ [resource]: [] });
    const web = new WebClient(server.url);
    const attempt = await app.request({ scope: 'openid account:read', resource });
    const back = await signIn(web, await web.open(attempt.url), person);
    const tokens = await app.redeem(back.url, attempt, { resource });
    expect((await me(tokens.access_token)).status).to.equal(200);
    await web.submit(await web.open('/oauth2/logout'), { logout: 'yes' }, 'xsrf');
    expect((await me(tokens.access_token)).status).to.equal(401);
  });
});
