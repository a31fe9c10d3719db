import { expect } from 'chai';
import * as oidc from 'openid-client';
import type { TokenFacts } from '../../src/forward-auth/index.ts';
import { judge, type Question } from '../../src/web/api/verify-rules.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
type Asker = Awaited<ReturnType<typeof createClient>>;

describe('what a service may ask of a token', () => {
  const now = 1_800_000_000;
  const facts: TokenFacts = {
    active: true,
    acr: 'aal1',
    auth_time: now - 100,
    aud: 'https://a/',
    scope: 'read list',
    permissions: ['notes.read'],
  };
  const ask = (question: Partial<Question>, of: TokenFacts = facts) =>
    judge(of, { scopes: [], permissions: [], ...question }, now);
  const codes = (...given: Parameters<typeof ask>): string[] => ask(...given).map(({ code }) => code);

  it('is told everything that speaks against it, and nothing when it fits', () => {
    expect(ask({})).to.deep.equal([]);
    expect(
      ask({ audience: 'https://a/', scopes: ['read'], permissions: ['notes.read'], acr: 'aal1', max_age: 100 }),
    ).to.deep.equal([]);
    expect(codes({ audience: 'https://a' })).to.deep.equal(['audience']);
    expect(ask({ scopes: ['read', 'write', 'write'] })).to.deep.equal([
      { code: 'scope', text: 'It lacks a scope.', missing: ['write'] },
    ]);
    expect(codes({ permissions: ['read'] })).to.deep.equal(['permission']);
    expect(codes({ acr: 'aal2' })).to.deep.equal(['acr']);
    expect(codes({ max_age: 99 })).to.deep.equal(['max_age']);
    expect(codes({ audience: 'x', scopes: ['y'], permissions: ['z'], acr: 'aal2', max_age: 0 })).to.deep.equal([
      'audience',
      'scope',
      'permission',
      'acr',
      'max_age',
    ]);
    expect(codes({}, { ...facts, active: false })).to.deep.equal(['inactive']);
    expect(codes({}, {})).to.deep.equal(['inactive']);
  });

  it('is not content with claims that are missing, and wants the proof of a token that is bound', () => {
    const bare = { active: true };
    expect(codes({ acr: 'aal1', max_age: 10 ** 9 }, bare)).to.deep.equal(['acr', 'max_age']);
    expect(codes({ acr: 'aal1' }, { ...facts, acr: 'toString' })).to.deep.equal(['acr']);
    const bound = { ...facts, cnf: { jkt: 'k' } };
    expect(codes({}, bound)).to.deep.equal(['proof']);
    expect(codes({ jkt: 'other' }, bound)).to.deep.equal(['proof']);
    expect(codes({ jkt: 'k' }, bound)).to.deep.equal([]);
    expect(codes({}, { ...facts, cnf: { 'x5t#S256': 'c' } })).to.deep.equal(['proof']);
  });
});

describe('POST /api/v1/auth/verify', () => {
  let server: RunningApp;
  let person: Person;
  let [api, otherApi] = ['', ''];
  let relyingParty: RelyingParty;
  const askers: Record<'app' | 'service' | 'stranger' | 'trusted' | 'poster', Asker> = {} as never;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_TOKEN: '10000' });
    person = await createPerson(server);
    [api, otherApi] = [await createApi(server), await createApi(server)];
    askers.app = await createClient(server, {
      kind: 'web',
      firstParty: true,
      apis: { [api]: [], [otherApi]: [] },
      metadata: { redirect_uris: [callback] },
    });
    askers.service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
    askers.stranger = await createClient(server, { kind: 'service', apis: { [otherApi]: [] } });
    askers.trusted = await createClient(server, { kind: 'service', mayIntrospect: true });
    askers.poster = await createClient(server, {
      kind: 'service',
      apis: { [api]: [] },
      metadata: { token_endpoint_auth_method: 'client_secret_post' },
    });
    const { client, secret } = askers.app;
    const auth = oidc.ClientSecretBasic(secret);
    relyingParty = await RelyingParty.discover({
      issuer: server.url,
      clientId: client.id,
      auth,
      redirectUri: callback,
    });
  });
  after(() => server[Symbol.asyncDispose]());

  const send = async (body: object, headers: Record<string, string> = {}) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    };
    const response = await fetch(`${server.url}/api/v1/auth/verify`, init);
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name.
    return { status: response.status, headers: response.headers, json: (await response.json()) as any };
  };
  const verify = async ({ client, secret }: Asker, token: string, more: object = {}) => {
    const authorization = `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;
    const { status, json, headers } = await send({ token, ...more }, { authorization });
    expect(status, JSON.stringify(json)).to.equal(200);
    expect(headers.get('cache-control')).to.include('no-store');
    return json;
  };
  async function tokens(scope: string, resource?: string) {
    const web = new WebClient(server.url);
    const attempt = await relyingParty.request({ scope: `openid ${scope}`, ...(resource && { resource }) });
    const back = await signIn(web, await web.open(attempt.url), person);
    return relyingParty.redeem(back.url, attempt, resource ? { resource } : {});
  }

  it('answers whether a token is good and for what, with every reason against it', async () => {
    const { access_token: token } = await tokens('notes:read', api);
    const good = await verify(askers.service, token, {
      audience: api,
      scopes: ['notes:read'],
      acr: 'aal1',
      max_age: 600,
    });
    expect(good).to.deep.include({
      active: true,
      allowed: true,
      reasons: [],
      scopes: ['notes:read'],
      permissions: [],
      user: { id: person.account.id },
    });
    expect(good.claims).to.include({ sub: person.account.id, aud: api }).and.not.have.any.keys('grant_id', 'active');
    const bad = await verify(askers.service, token, {
      audience: otherApi,
      scopes: ['notes:write'],
      permissions: ['p'],
      acr: 'aal2',
      max_age: 0,
    });
    expect([bad.active, bad.allowed]).to.deep.equal([true, false]);
    expect(bad.reasons.map(({ code }: { code: string }) => code)).to.include.members([
      'audience',
      'scope',
      'permission',
      'acr',
    ]);
    expect(
      (await verify(askers.poster, token).catch((error: Error) => error)) instanceof Error,
      'the wrong method',
    ).to.equal(true);
    const { client, secret } = askers.poster;
    expect((await send({ token, client_id: client.id, client_secret: secret })).json.active).to.equal(true);
  });

  it('answers the same for what is foreign, unknown, forged, expired or revoked', async () => {
    const { access_token: token, id_token: idToken = '' } = await tokens('notes:read', api);
    const answers = [
      await verify(askers.stranger, token),
      await verify(askers.service, 'x'),
      await verify(askers.service, `${token.slice(0, -4)}AAAA`),
      await verify(askers.service, `at_${'a'.repeat(53)}`),
      await verify(askers.trusted, idToken),
    ];
    await oidc.tokenRevocation(relyingParty.config, token);
    answers.push(await verify(askers.service, token));
    for (const answer of answers) expect(answer).to.deep.equal(answers[0]);
    expect(answers[0]).to.deep.include({ active: false, allowed: false, scopes: [], permissions: [] });
    expect(answers[0]).to.not.have.any.keys('claims', 'user');
  });

  it('tells of the person what the scopes of the token open', async () => {
    const { access_token: token } = await tokens('email');
    const { user } = await verify(askers.app, token);
    expect(user).to.deep.equal({ id: person.account.id, email: person.account.email, email_verified: true });
    expect((await verify(askers.service, token)).active, 'not its business').to.equal(false);
  });

  it('takes API keys', async () => {
    const { key, text } = await server.app.domains.apiKeys.create(
      { owner: { kind: 'account', id: person.account.id }, name: 'Script', audience: api, scopes: ['notes:read'] },
      operator,
    );
    expect(await verify(askers.service, text, { scopes: ['notes:read'] })).to.deep.include({
      active: true,
      allowed: true,
      user: { id: person.account.id },
    });
    expect((await verify(askers.service, text, { acr: 'aal1' })).reasons[0].code, 'nobody signed in').to.equal('acr');
    expect((await verify(askers.stranger, text)).active).to.equal(false);
    await server.app.domains.apiKeys.revoke(key.id, operator);
    expect((await verify(askers.service, text)).active).to.equal(false);
  });

  it('is for clients that prove themselves', async () => {
    const { access_token: token } = await tokens('notes:read', api);
    const { client, secret } = askers.service;
    for (const [headers, more] of [
      [{}, {}],
      [{}, { client_id: client.id }],
      [{ authorization: `Basic ${Buffer.from(`${client.id}:wrong`).toString('base64')}` }, {}],
      [{ authorization: `Bearer ${token}` }, {}],
      [{}, { client_id: client.id, client_secret: secret }],
    ] as const) {
      const { status, json } = await send({ token, ...more }, headers);
      expect(status, JSON.stringify([headers, json])).to.be.oneOf([401, 422]);
      expect(json).to.not.have.property('active');
    }
    const spa = await createClient(server, { kind: 'spa', metadata: { redirect_uris: [callback] } });
    expect((await send({ token, client_id: spa.client.id })).json.active ?? false).to.equal(false);
    expect((await send({ token, unknown: 1 })).status).to.equal(400);
    expect((await send({})).status).to.equal(400);
  });
});
