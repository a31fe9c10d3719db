import { expect } from 'chai';
import { decodeJwt, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import type { ExchangeMode } from '../../src/oidc/index.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = 'urn:ietf:params:oauth:token-type:access_token';

type Asker = Awaited<ReturnType<typeof createClient>>;
interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

describe('token exchange between services', () => {
  let server: RunningApp;
  let person: Person;
  /** What the app calls, what that calls, and what that calls. */
  let [gate, orders, billing, opaque] = ['', '', '', ''];
  let app: Asker & { relyingParty: RelyingParty };
  let gateway: Asker;
  let orderService: Asker;
  let stranger: Asker;
  let machine: Asker;

  const service = (...apis: string[]) =>
    createClient(server, { kind: 'service', apis: Object.fromEntries(apis.map((api) => [api, []])) });
  const allow = (to: Asker, target: string, scopes: string[], mode: ExchangeMode = 'delegation') =>
    server.app.domains.exchangeRights.allow({ clientId: to.client.id, target, mode, scopes }, operator);

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_TOKEN: '10000', SALLYPORT_ACCESS_TOKEN_SECONDS: '300' });
    person = await createPerson(server);
    [gate, orders, billing] = [await createApi(server), await createApi(server), await createApi(server)];
    opaque = await createApi(server, { tokenFormat: 'opaque' });
    const web = await createClient(server, {
      kind: 'web',
      firstParty: true,
      apis: { [gate]: [], [opaque]: [] },
      metadata: { redirect_uris: [callback] },
    });
    const auth = oidc.ClientSecretBasic(web.secret);
    const relyingParty = await RelyingParty.discover({
      issuer: server.url,
      clientId: web.client.id,
      auth,
      redirectUri: callback,
    });
    app = { ...web, relyingParty };
    gateway = await service(gate, opaque);
    orderService = await service(orders);
    stranger = await service(billing);
    machine = await createClient(server, { kind: 'machine', apis: { [gate]: ['notes:read'] } });
    await allow(gateway, orders, ['notes:read', 'notes:write']);
    await allow(gateway, opaque, ['notes:read']);
    await allow(orderService, billing, ['notes:read']);
    await allow(stranger, orders, ['notes:read']);
  });
  after(() => server[Symbol.asyncDispose]());

  const basic = ({ client, secret }: Asker): string =>
    `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;
  const post = async (
    path: string,
    asker: Asker,
    fields: Record<string, string> | [string, string][],
  ): Promise<Answer> => {
    const body = new URLSearchParams(fields);
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: basic(asker) },
      body,
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };
  const exchange = (asker: Asker, subject: string, more: Record<string, string> = {}): Promise<Answer> =>
    post('/oauth2/token', asker, {
      grant_type: grant,
      subject_token: subject,
      subject_token_type: type,
      resource: orders,
      ...more,
    });
  const tokenOf = ({ status, json }: Answer): string => {
    expect(status, JSON.stringify(json)).to.equal(200);
    return String(json.access_token);
  };
  const isActive = async (asker: Asker, token: string): Promise<unknown> =>
    (await post('/oauth2/introspect', asker, { token })).json.active;
  const refused = ({ status, json }: Answer, error: string, what = ''): void => {
    expect([status, json.error], `${what} ${JSON.stringify(json)}`).to.deep.equal([400, error]);
    expect(json).to.not.have.property('access_token');
  };

  async function userTokens(resource = gate, scope = 'notes:read notes:write', who = person, dpop?: oidc.DPoPHandle) {
    const web = new WebClient(server.url);
    const attempt = await app.relyingParty.request({ scope: `openid ${scope}`, resource });
    const page = await web.open(attempt.url);
    const back = page.name === 'login' ? await signIn(web, page, who) : page;
    const { checks } = attempt;
    expect(back.url.href).to.include(callback);
    return oidc.authorizationCodeGrant(
      app.relyingParty.config,
      back.url,
      { ...checks },
      { resource },
      dpop && { DPoP: dpop },
    );
  }
  const userToken = async (...given: Parameters<typeof userTokens>): Promise<string> =>
    (await userTokens(...given)).access_token;
  const machineToken = async (): Promise<string> =>
    tokenOf(
      await post('/oauth2/token', machine, { grant_type: 'client_credentials', resource: gate, scope: 'notes:read' }),
    );

  it('gives a service a narrower token for the next API that says who acts, and no refresh token', async () => {
    const subject = await userToken();
    const before = decodeJwt(subject);
    const config = await oidc.discovery(
      new URL(server.url),
      gateway.client.id,
      {},
      oidc.ClientSecretBasic(gateway.secret),
      {
        execute: [oidc.allowInsecureRequests],
      },
    );
    const answer = await oidc.genericGrantRequest(config, grant, {
      subject_token: subject,
      subject_token_type: type,
      audience: orders,
      scope: 'notes:read',
    });
    expect(answer).to.include({ issued_token_type: type, token_type: 'bearer', scope: 'notes:read' });
    expect(answer).to.not.have.any.keys('refresh_token', 'id_token');
    const claims = decodeJwt(answer.access_token);
    expect(claims).to.deep.include({
      sub: person.account.id,
      aud: orders,
      client_id: gateway.client.id,
      scope: 'notes:read',
      act: { sub: gateway.client.id },
      acr: before.acr,
      auth_time: before.auth_time,
    });
    expect(claims.exp).to.be.at.most(before.exp ?? 0);
    expect((await post('/oauth2/introspect', orderService, { token: answer.access_token })).json)
      .to.deep.include({ active: true, sub: person.account.id, act: { sub: gateway.client.id } })
      .and.not.have.any.keys('lineage', 'grant_id');
    const [row] = await server.app.domains.audit.list({
      subject: person.account.id,
      type: 'token.exchanged',
      limit: 1,
    });
    expect(row).to.deep.include({ actor: { kind: 'client', id: gateway.client.id }, clientId: gateway.client.id });
  });

  it('builds a chain, outermost the one who acts now, and lets nobody join twice', async () => {
    const second = tokenOf(await exchange(gateway, await userToken()));
    const third = tokenOf(await exchange(orderService, second, { resource: billing }));
    expect(decodeJwt(third).act).to.deep.equal({ sub: orderService.client.id, act: { sub: gateway.client.id } });
    refused(await exchange(gateway, second), 'invalid_request', 'its own result');
    refused(await exchange(stranger, third, { scope: 'notes:write' }), 'invalid_scope', 'lost on the way');
    const next = await exchange(stranger, third, { scope: 'notes:read' });
    const circle = await exchange(orderService, tokenOf(next), { resource: billing });
    refused(circle, 'invalid_request', 'a circle');
  });

  it('never gives more scope, another audience or a longer life', async () => {
    const readOnly = await userToken(gate, 'notes:read');
    refused(await exchange(gateway, readOnly, { scope: 'notes:write' }), 'invalid_scope');
    refused(await exchange(gateway, readOnly, { scope: 'notes:read notes:write' }), 'invalid_scope');
    refused(await exchange(gateway, readOnly, { scope: 'openid' }), 'invalid_scope');
    refused(await exchange(gateway, readOnly, { scope: 'notes:read offline_access' }), 'invalid_scope');
    expect((await exchange(gateway, readOnly)).json.scope).to.equal('notes:read');
    refused(await exchange(gateway, readOnly, { resource: billing }), 'invalid_target');
    refused(await exchange(gateway, readOnly, { resource: 'https://nobody.example/' }), 'invalid_target');
    refused(await exchange(gateway, readOnly, { resource: `${server.url}/api/v1` }), 'invalid_target');
    refused(await exchange(gateway, readOnly, { audience: billing }), 'invalid_target');
    const twice = [
      ['grant_type', grant],
      ['subject_token', readOnly],
      ['subject_token_type', type],
      ['resource', orders],
      ['resource', billing],
    ];
    refused(await post('/oauth2/token', gateway, twice as [string, string][]), 'invalid_target');
    const found = await server.app.domains.apis.find(orders);
    await server.app.domains.apis.update(orders, found?.version ?? 0, { accessTokenSeconds: 86_400 }, operator);
    const long = decodeJwt(tokenOf(await exchange(gateway, readOnly)));
    expect(long.exp).to.be.at.most(decodeJwt(readOnly).exp ?? 0);
  });

  it('takes nothing but a good access token that was sent to this service or issued to it', async () => {
    const tokens = await userTokens();
    const [header = '', payload = '', signature = ''] = tokens.access_token.split('.');
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await new SignJWT({ ...decodeJwt(tokens.access_token), act: { sub: 'acc_admin' } })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey);
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    for (const [what, token] of Object.entries({
      'an ID token': tokens.id_token ?? '',
      'a refresh token': tokens.refresh_token ?? '',
      'a forged token': forged,
      'another payload': `${header}.${Buffer.from(JSON.stringify({ ...decodeJwt(tokens.access_token), scope: 'notes:admin' })).toString('base64url')}.${signature}`,
      'no signature': `${none}.${payload}.`,
      'an opaque one of nobody': `at_${'a'.repeat(53)}`,
      nothing: 'x',
    })) {
      refused(await exchange(gateway, token), 'invalid_request', what);
    }
    for (const name of ['id_token', 'refresh_token', 'jwt']) {
      const subject_token_type = `urn:ietf:params:oauth:token-type:${name}`;
      refused(await exchange(gateway, tokens.access_token, { subject_token_type }), 'invalid_request', name);
    }
    // Meant for the gateway: another service that got hold of it cannot use it, and cannot tell it from a bad one.
    const [foreign, unknown] = [await exchange(stranger, tokens.access_token), await exchange(stranger, 'x')];
    refused(foreign, 'invalid_request');
    expect(foreign.json).to.deep.equal(unknown.json);
  });

  it('is for clients that an operator allowed and that prove themselves', async () => {
    const subject = await userToken();
    refused(await exchange(app, subject), 'unauthorized_client', 'no right');
    const spa = await createClient(server, { kind: 'spa', apis: {}, metadata: { redirect_uris: [callback] } });
    const response = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: spa.client.id,
        grant_type: grant,
        subject_token: subject,
        subject_token_type: type,
        resource: orders,
      }),
    });
    expect(await response.json()).to.have.property('error', 'unauthorized_client');
    expect((await exchange({ ...gateway, secret: 'wrong' }, subject)).status).to.equal(401);
    const rights = server.app.domains.exchangeRights;
    const invalid = (right: object) =>
      rights
        .allow(
          { clientId: gateway.client.id, target: orders, mode: 'delegation', scopes: ['notes:read'], ...right },
          operator,
        )
        .then(
          () => 'allowed',
          (error: { code: string }) => error.code,
        );
    expect(await invalid({ clientId: spa.client.id })).to.equal('invalid_input');
    expect(await invalid({ target: `${server.url}/api/v1` })).to.equal('invalid_input');
    expect(await invalid({ scopes: [] })).to.equal('invalid_input');
    expect(await invalid({ scopes: ['notes:admin'] })).to.equal('invalid_input');
    expect(await invalid({ clientId: 'nobody' })).to.equal('not_found');
  });

  it('ends what was exchanged with the grant, the token, the account, the app and the service behind it', async () => {
    const { accounts, clients } = server.app.domains;
    const tokens = await userTokens();
    const byGrant = tokenOf(await exchange(gateway, tokens.access_token));
    const further = tokenOf(await exchange(orderService, byGrant, { resource: billing }));
    expect(await isActive(stranger, further)).to.equal(true);
    await oidc.tokenRevocation(app.relyingParty.config, tokens.refresh_token ?? '');
    expect([await isActive(orderService, byGrant), await isActive(stranger, further)]).to.deep.equal([false, false]);
    refused(await exchange(gateway, tokens.access_token), 'invalid_request', 'after the grant');

    const subject = await userToken();
    const byToken = tokenOf(await exchange(gateway, subject));
    await oidc.tokenRevocation(app.relyingParty.config, subject);
    expect(await isActive(orderService, byToken), 'the token alone').to.equal(false);

    const ofOpaque = await userTokens(opaque);
    expect(ofOpaque.access_token).to.match(/^at_/);
    const fromOpaque = tokenOf(await exchange(gateway, ofOpaque.access_token));
    expect(fromOpaque).not.to.include(ofOpaque.access_token);
    expect(await isActive(orderService, fromOpaque)).to.equal(true);
    const byAccount = tokenOf(await exchange(gateway, await userToken()));
    await accounts.disable(person.account.id, operator);
    expect([await isActive(orderService, fromOpaque), await isActive(orderService, byAccount)]).to.deep.equal([
      false,
      false,
    ]);
    await accounts.enable(person.account.id, operator);

    const ofMachine = tokenOf(await exchange(gateway, await machineToken()));
    expect(decodeJwt(ofMachine)).to.deep.include({ sub: machine.client.id, act: { sub: gateway.client.id } });
    expect(await isActive(orderService, ofMachine)).to.equal(true);
    const found = await clients.find(machine.client.id);
    await clients.update(machine.client.id, found?.version ?? 0, { disabled: true }, operator);
    expect(await isActive(orderService, ofMachine), 'of a disabled machine').to.equal(false);
    const again = await clients.find(machine.client.id);
    await clients.update(machine.client.id, again?.version ?? 0, { disabled: false }, operator);
  });

  it('makes signed tokens also for an API that asks for opaque ones, and they can be introspected', async () => {
    const token = tokenOf(await exchange(gateway, await userToken(), { resource: opaque }));
    expect(decodeJwt(token)).to.deep.include({ aud: opaque, scope: 'notes:read' });
    expect(await isActive(gateway, token)).to.equal(true);
  });

  it('lets somebody else act whose own token the client has, and nobody whose token it found', async () => {
    const actor = await createPerson(server);
    const helper = await createClient(server, {
      kind: 'web',
      firstParty: true,
      apis: { [gate]: [] },
      metadata: { redirect_uris: [callback] },
    });
    await allow(helper, orders, ['notes:read']);
    const [subject, foreign] = [await userToken(), await userToken(gate, 'notes:read', actor)];
    const withActor = { actor_token: foreign, actor_token_type: type };
    refused(await exchange(gateway, subject, withActor), 'invalid_request', 'a token of another app');
    await allow(app, orders, ['notes:read']);
    const token = tokenOf(await exchange(app, subject, withActor));
    expect(decodeJwt(token).act).to.deep.equal({ sub: actor.account.id, client_id: app.client.id });
    expect(decodeJwt(token).sub).to.equal(person.account.id);
    for (const bad of ['x', (await userTokens()).id_token ?? '', tokenOf(await exchange(gateway, subject))]) {
      refused(await exchange(app, subject, { actor_token: bad, actor_token_type: type }), 'invalid_request');
    }
    await server.app.domains.exchangeRights.remove(app.client.id, orders, operator);
    refused(await exchange(app, subject), 'unauthorized_client', 'after the right was taken back');
  });

  it('keeps what is bound to a key bound to one', async () => {
    const own = oidc.getDPoPHandle(app.relyingParty.config, await oidc.randomDPoPKeyPair('ES256'));
    const bound = await userToken(gate, 'notes:read', person, own);
    expect(decodeJwt(bound)).to.have.property('cnf');
    refused(await exchange(gateway, bound), 'invalid_request', 'without a proof');
    const config = await oidc.discovery(
      new URL(server.url),
      gateway.client.id,
      {},
      oidc.ClientSecretBasic(gateway.secret),
      {
        execute: [oidc.allowInsecureRequests],
      },
    );
    const key = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
    const fields = { subject_token: bound, subject_token_type: type, resource: orders };
    const answer = await oidc.genericGrantRequest(config, grant, fields, { DPoP: key });
    expect(answer.token_type).to.equal('dpop');
    const thumbprint = await key.calculateThumbprint();
    expect(decodeJwt(answer.access_token).cnf).to.deep.equal({ jkt: thumbprint });
    expect(thumbprint).not.to.equal(await own.calculateThumbprint());
    // The app itself has to show the very key.
    await allow(app, orders, ['notes:read']);
    const other = oidc.getDPoPHandle(app.relyingParty.config, await oidc.randomDPoPKeyPair('ES256'));
    const wrong = await oidc
      .genericGrantRequest(app.relyingParty.config, grant, fields, { DPoP: other })
      .catch((error: { error: string }) => error);
    expect(wrong).to.have.property('error', 'invalid_request');
    expect((await oidc.genericGrantRequest(app.relyingParty.config, grant, fields, { DPoP: own })).token_type).to.equal(
      'dpop',
    );
    await server.app.domains.exchangeRights.remove(app.client.id, orders, operator);
  });

  it('acts as somebody only with the right to, is told in their activity, and never as an administrator', async () => {
    const support = await service(gate);
    await allow(support, orders, ['notes:read'], 'impersonation');
    const subject = await userToken();
    const token = tokenOf(await exchange(support, subject));
    expect(decodeJwt(token)).to.deep.include({
      sub: person.account.id,
      client_id: support.client.id,
      scope: 'notes:read',
    });
    expect(decodeJwt(token)).to.not.have.property('act');
    const { audit, accounts } = server.app.domains;
    const [row] = await audit.list({ subject: person.account.id, type: 'token.impersonated', limit: 1 });
    expect(row?.actor).to.deep.equal({ kind: 'client', id: support.client.id });
    expect(row?.details).to.deep.include({ audience: orders, scopes: ['notes:read'] });
    refused(await exchange(support, subject, { scope: 'openid' }), 'invalid_scope');
    refused(await exchange(support, subject, { scope: 'notes:write' }), 'invalid_scope');
    refused(await exchange(support, await machineToken()), 'invalid_request', 'as a machine');
    const boss = await createPerson(server);
    const bossToken = await userToken(gate, 'notes:read', boss);
    const { version } = boss.account;
    await accounts.update(boss.account.id, version, { roles: ['admin'] }, operator);
    const answer = await exchange(support, bossToken);
    refused(answer, 'invalid_request', 'as an administrator');
    expect(answer.json).to.deep.equal((await exchange(support, 'x')).json);
    expect(await audit.list({ subject: boss.account.id, type: 'token.impersonated', limit: 1 })).to.deep.equal([]);
  });

  it('is announced in discovery', async () => {
    const document = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string[]
    >;
    expect(document.grant_types_supported).to.include(grant);
  });
});
