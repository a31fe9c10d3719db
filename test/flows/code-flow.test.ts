import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';

describe('authorization code flow, as a third-party app sees it', () => {
  let server: RunningApp;
  let person: Person;

  before(async () => {
    server = await startApp();
    person = await createPerson(server);
  });
  after(() => server[Symbol.asyncDispose]());

  const register = async (input: Parameters<typeof createClient>[1], auth?: (secret: string) => oidc.ClientAuth) => {
    const { client, secret } = await createClient(server, {
      ...input,
      metadata: { redirect_uris: [callback], ...input.metadata },
    });
    const relyingParty = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth: auth?.(secret) ?? oidc.None(),
      redirectUri: callback,
    });
    return { client, secret, relyingParty };
  };

  it('publishes what it does and nothing that it does not', async () => {
    const document = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(document.issuer).to.equal(server.url);
    expect(document.response_types_supported).to.have.members(['code', 'code id_token', 'id_token']);
    expect(document.code_challenge_methods_supported).to.deep.equal(['S256']);
    expect(document.authorization_response_iss_parameter_supported).to.equal(true);
    expect(document.grant_types_supported).to.not.include('password');
    expect(document.acr_values_supported).to.deep.equal(['aal1', 'aal2']);
    for (const [name, value] of Object.entries(document)) {
      if (name.endsWith('_endpoint') || name === 'jwks_uri')
        expect(String(value)).to.match(new RegExp(`^${server.url}/`));
    }
  });

  it('takes a person from the app through sign-in and consent to tokens, userinfo, refresh, revocation and logout', async () => {
    const { relyingParty } = await register(
      { kind: 'web', metadata: { redirect_uris: [callback], post_logout_redirect_uris: ['https://app.example/bye'] } },
      (secret) => oidc.ClientSecretBasic(secret),
    );
    const web = new WebClient(server.url);
    const attempt = await relyingParty.request({
      scope: 'openid profile email address phone offline_access',
      prompt: 'consent',
    });

    const login = expectPage(await web.open(attempt.url), 'login');
    const consent = expectPage(await signIn(web, login, person), 'consent');
    expect(consent.text).to.include('app.example');
    const back = await allow(web, consent);
    expect(back.url.href).to.match(/^https:\/\/app\.example\/callback\?/);
    expect(back.url.searchParams.get('iss')).to.equal(server.url);

    const tokens = await relyingParty.redeem(back.url, attempt);
    const claims = tokens.claims();
    expect(claims).to.include({ sub: person.account.id, acr: 'aal1' });
    expect(claims?.amr).to.deep.equal(['pwd']);
    expect(Math.abs((claims?.auth_time ?? 0) - Date.now() / 1000)).to.be.lessThan(30);
    expect(decodeProtectedHeader(tokens.id_token ?? '').alg).to.equal('ES256');

    const userinfo = await oidc.fetchUserInfo(relyingParty.config, tokens.access_token, person.account.id);
    expect(userinfo).to.include({
      name: 'Mara Lindgren',
      email: person.account.email,
      email_verified: true,
      phone_number: '+4930123456',
    });
    expect(userinfo.address).to.include({ locality: 'Fernhill' });

    const introspected = await oidc.tokenIntrospection(relyingParty.config, tokens.access_token);
    expect(introspected).to.include({ active: true, sub: person.account.id });

    const refreshed = await oidc.refreshTokenGrant(relyingParty.config, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).to.be.a('string').and.not.equal(tokens.refresh_token);
    expect((await oidc.tokenIntrospection(relyingParty.config, refreshed.refresh_token ?? '')).active).to.equal(true);

    await oidc.tokenRevocation(relyingParty.config, refreshed.refresh_token ?? '');
    expect((await oidc.tokenIntrospection(relyingParty.config, refreshed.access_token)).active).to.equal(false);
    expect((await oidc.tokenIntrospection(relyingParty.config, refreshed.refresh_token ?? '')).active).to.equal(false);

    const logout = oidc.buildEndSessionUrl(relyingParty.config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'https://app.example/bye',
      state: 's1',
    });
    const confirm = expectPage(await web.open(logout), 'logout');
    const bye = await web.submit(confirm, { logout: 'yes' }, 'xsrf');
    expect(bye.url.href).to.equal('https://app.example/bye?state=s1');
    expectPage(await web.open((await relyingParty.request()).url), 'login');
  });

  it('gives an ID token through the browser to the one app that an admin set up so, and to no other', async () => {
    const older = await register({
      kind: 'web',
      firstParty: true,
      requirePkce: false,
      metadata: { redirect_uris: [callback], response_types: ['code id_token'] },
    });
    const ask = (clientId: string, responseType: string): URL => {
      const url = new URL(`${server.url}/oauth2/authorize`);
      const query = { redirect_uri: callback, scope: 'openid', state: 's1', nonce: 'n1', response_type: responseType };
      for (const [name, value] of Object.entries({ client_id: clientId, ...query })) url.searchParams.set(name, value);
      return url;
    };
    const web = new WebClient(server.url);
    const back = await signIn(web, await web.open(ask(older.client.id, 'code id_token')), person);
    expect(back.url.search).to.equal('');
    const answer = new URLSearchParams(back.url.hash.slice(1));
    // The ID token names the issuer itself (RFC 9207 §2.4).
    expect([...answer.keys()]).to.have.members(['code', 'id_token', 'state']);
    const jwks = createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`));
    const { payload } = await jwtVerify(answer.get('id_token') ?? '', jwks, {
      issuer: server.url,
      audience: older.client.id,
    });
    expect(payload).to.include({ sub: person.account.id, nonce: 'n1' }).and.to.have.property('c_hash');

    const { client } = await register({ kind: 'web', firstParty: true });
    for (const [id, type] of [
      [client.id, 'code id_token'],
      [client.id, 'id_token'],
      [older.client.id, 'code'],
      [older.client.id, 'id_token token'],
    ] as const) {
      const refused = await new WebClient(server.url).open(ask(id, type));
      const error = new URLSearchParams(refused.url.search || refused.url.hash.slice(1)).get('error');
      expect(error, type).to.be.oneOf(['unauthorized_client', 'unsupported_response_type', 'invalid_request']);
    }
  });

  it('issues RFC 9068 access tokens for a registered API, which services verify, introspect and see revoked', async () => {
    const api = await createApi(server);
    const { relyingParty } = await register({ kind: 'spa', firstParty: true, apis: { [api]: [] } });
    const service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
    const stranger = await createClient(server, { kind: 'service', apis: {} });
    const web = new WebClient(server.url);
    const attempt = await relyingParty.request({ scope: 'openid notes:read', resource: api });
    const back = await signIn(web, await web.open(attempt.url), person);
    expect(back.url.origin, back.text.slice(0, 800)).to.equal('https://app.example');
    const tokens = await relyingParty.redeem(back.url, attempt, { resource: api });

    const jwks = createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`));
    const { payload } = await jwtVerify(tokens.access_token, jwks, {
      issuer: server.url,
      audience: api,
      typ: 'at+jwt',
    });
    expect(payload).to.include({ sub: person.account.id, scope: 'notes:read' });

    const ask = async (asker: typeof service): Promise<Record<string, unknown>> => {
      const response = await fetch(`${server.url}/oauth2/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${asker.client.id}:${asker.secret}`).toString('base64')}` },
        body: new URLSearchParams({ token: tokens.access_token }),
      });
      expect(response.status).to.equal(200);
      return (await response.json()) as Record<string, unknown>;
    };
    expect(await ask(service)).to.include({ active: true, sub: person.account.id, scope: 'notes:read', aud: api });
    expect(await ask(service)).to.not.have.property('grant_id');
    expect(await ask(stranger)).to.deep.equal({ active: false });
    await oidc.tokenRevocation(relyingParty.config, tokens.access_token);
    expect(await ask(service)).to.deep.equal({ active: false });
  });

  it('signs a person in to a second app without asking again, and asks each app for its own consent once', async () => {
    const first = await register({ kind: 'spa', firstParty: true });
    const second = await register(
      { kind: 'web', metadata: { redirect_uris: [callback], token_endpoint_auth_method: 'client_secret_post' } },
      (secret) => oidc.ClientSecretPost(secret),
    );
    const web = new WebClient(server.url);
    const one = await first.relyingParty.request();
    await signIn(web, await web.open(one.url), person);
    const two = await second.relyingParty.request({ scope: 'openid email' });
    const back = await allow(web, expectPage(await web.open(two.url), 'consent'));
    expect((await second.relyingParty.redeem(back.url, two)).claims()?.sub).to.equal(person.account.id);

    const elsewhere = new WebClient(server.url);
    const again = await second.relyingParty.request({ scope: 'openid email' });
    const direct = await signIn(elsewhere, await elsewhere.open(again.url), person);
    expect(direct.url.origin).to.equal('https://app.example');
  });

  it('serves machines with client_credentials, whose subject is never a person', async () => {
    const api = await createApi(server);
    const { client, secret } = await createClient(server, { kind: 'machine', apis: { [api]: ['notes:read'] } });
    const config = await oidc.discovery(new URL(server.url), client.id, {}, oidc.ClientSecretBasic(secret), {
      execute: [oidc.allowInsecureRequests],
    });
    const tokens = await oidc.clientCredentialsGrant(config, { resource: api, scope: 'notes:read notes:write' });
    const payload = decodeJwt(tokens.access_token);
    expect(payload).to.include({ sub: client.id, client_id: client.id, aud: api, scope: 'notes:read' });
    expect((await oidc.tokenIntrospection(config, tokens.access_token)).active).to.equal(true);
    const opaque = await oidc.clientCredentialsGrant(config);
    expect((await oidc.tokenIntrospection(config, opaque.access_token)).active).to.equal(true);
  });

  it('tells the app when the person says no', async () => {
    const { relyingParty } = await register({ kind: 'web' }, (secret) => oidc.ClientSecretBasic(secret));
    const web = new WebClient(server.url);
    const consent = await signIn(
      web,
      await web.open((await relyingParty.request({ scope: 'openid email' })).url),
      person,
    );
    const back = await web.submit(expectPage(consent, 'consent'), { action: 'deny' }, 'action');
    expect(back.url.searchParams.get('error')).to.equal('access_denied');
    expect(back.url.searchParams.get('iss')).to.equal(server.url);
  });
});
