import { expect } from 'chai';
import * as oidc from 'openid-client';
import { statusOfToken } from '../status-list/decoder.ts';
import { createClient, createPerson } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { secondOver } from '../support/second-over.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';
import { registerApp, tokenOf, withToken } from '../web/api-caller.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = 'urn:ietf:params:oauth:token-type:access_token';
const [first, second, opaque] = ['https://first.example/', 'https://second.example/', 'https://opaque.example/'];
const scopes = [{ name: 'notes:read', description: 'Read your notes' }];

type Asker = Awaited<ReturnType<typeof createClient>>;
type Answer = { readonly status: number; readonly json: Record<string, unknown> };

describe('tokens that were made from tokens and keys', () => {
  let server: RunningApp;
  let machine: Asker;
  let gateway: Asker;
  let end: Asker;
  let app: Asker & { readonly relyingParty: RelyingParty };

  before(async () => {
    server = await startApp({
      SALLYPORT_API_KEYS: 'everyone',
      SALLYPORT_LIMIT_TOKEN: '10000',
      SALLYPORT_STATUS_LIST_TTL_SECONDS: '20',
    });
    const { apis, exchangeRights } = server.app.domains;
    await apis.create({ identifier: first, name: 'First', scopes, statusList: true }, operator);
    await apis.create({ identifier: second, name: 'Second', scopes, statusList: true }, operator);
    await apis.create({ identifier: opaque, name: 'Opaque', scopes, tokenFormat: 'opaque' }, operator);
    const both = { [first]: ['notes:read'], [opaque]: ['notes:read'] };
    machine = await createClient(server, { kind: 'machine', apis: both });
    gateway = await createClient(server, { kind: 'service', apis: both });
    end = await createClient(server, { kind: 'service', apis: { [second]: [] } });
    const web = await createClient(server, {
      ...{ kind: 'web', firstParty: true, apis: both },
      metadata: { redirect_uris: [callback] },
    });
    const about = { issuer: server.url, clientId: web.client.id, redirectUri: callback };
    app = { ...web, relyingParty: await RelyingParty.discover({ ...about, auth: oidc.ClientSecretBasic(web.secret) }) };
    const right = { target: second, mode: 'delegation', scopes: ['notes:read'] } as const;
    await exchangeRights.allow({ clientId: gateway.client.id, ...right }, operator);
  });
  after(() => server[Symbol.asyncDispose]());

  async function post(path: string, asker: Asker, fields: Record<string, string>): Promise<Answer> {
    const authorization = `Basic ${btoa(`${asker.client.id}:${asker.secret}`)}`;
    const body = new URLSearchParams(fields);
    const response = await fetch(`${server.url}${path}`, { method: 'POST', headers: { authorization }, body });
    const text = await response.text();
    return { status: response.status, json: text === '' ? {} : JSON.parse(text) };
  }
  const taken = ({ status, json }: Answer): string => {
    expect(status, JSON.stringify(json)).to.equal(200);
    return String(json.access_token);
  };
  const own = async (resource = first): Promise<string> =>
    taken(await post('/oauth2/token', machine, { grant_type: 'client_credentials', resource, scope: 'notes:read' }));
  const exchange = async (subject: string): Promise<string> => {
    const about = { subject_token: subject, subject_token_type: type, resource: second };
    return taken(await post('/oauth2/token', gateway, { grant_type: grant, ...about }));
  };
  const isActive = async (token: string): Promise<unknown> =>
    (await post('/oauth2/introspect', end, { token })).json.active;
  const listed = async (token: string, wanted: number): Promise<void> => {
    const deadline = Date.now() + 5_000;
    while ((await statusOfToken(server.url, token)) !== wanted) {
      if (Date.now() > deadline) expect.fail(`the status did not become ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const keyOf = async (): Promise<{ id: string; text: string }> => {
    const person = await createPerson(server);
    const owner = { kind: 'account', id: person.account.id } as const;
    const input = { owner, name: 'Script', audience: first, scopes: ['notes:read'] };
    const { key, text } = await server.app.domains.apiKeys.create(input, operator);
    return { id: key.id, text };
  };

  it('end with the API that the first one was for, and with what was revoked until a moment between the two', async () => {
    const { revocations } = server.app.domains;
    const old = await own();
    await secondOver();
    const between = Math.floor(Date.now() / 1000) * 1000 - 1;
    const derived = await exchange(old);
    const untouched = await exchange(await own());
    expect(await isActive(derived)).to.equal(true);
    await revocations.revoke({ kind: 'everything', id: 'everything', reason: 'a leak', before: between });
    expect([await isActive(derived), await isActive(untouched)], 'everything until then').to.deep.equal([false, true]);
    await listed(derived, 1);
    expect(await statusOfToken(server.url, untouched)).to.equal(0);
    await revocations.revoke({ kind: 'api', id: first, reason: 'a leak' });
    expect(await isActive(untouched), 'the API before').to.equal(false);
    await listed(untouched, 1);
    await secondOver();
  });

  it('end with an opaque token that its client or an operator revoked', async () => {
    const parent = await own(opaque);
    const derived = await exchange(parent);
    expect(await isActive(derived)).to.equal(true);
    await post('/oauth2/revoke', machine, { token: parent });
    expect(await isActive(derived), 'of a machine').to.equal(false);

    const web = new WebClient(server.url);
    const attempt = await app.relyingParty.request({ scope: 'openid notes:read', resource: opaque });
    const back = await signIn(web, await web.open(attempt.url), await createPerson(server));
    const tokens = await app.relyingParty.redeem(back.url, attempt, { resource: opaque });
    expect(tokens.access_token).to.match(/^at_/);
    const ofPerson = await exchange(tokens.access_token);
    expect(await isActive(ofPerson)).to.equal(true);
    await oidc.tokenRevocation(app.relyingParty.config, tokens.access_token);
    expect(await isActive(ofPerson), 'of a person').to.equal(false);

    const another = await own(opaque);
    const further = await exchange(another);
    await server.app.domains.revocations.revoke({ kind: 'token', id: another, reason: 'found in a log' });
    expect(await isActive(further), 'by an operator').to.equal(false);
  });

  it('are in status lists what they are: good at first, and over with the key, token or app behind them', async () => {
    const { apiKeys, clients } = server.app.domains;
    const key = await keyOf();
    const ofKey = String((await withToken(server, key.text)('POST', '/auth/api-key')).json.access_token);
    const [fromKey, parent] = [await exchange(ofKey), await own()];
    const [fromToken, fromApp] = [await exchange(parent), await exchange(await own())];
    await listed(ofKey, 0);
    for (const token of [fromKey, fromToken, fromApp]) expect(await statusOfToken(server.url, token)).to.equal(0);
    await apiKeys.revoke(key.id, operator);
    await post('/oauth2/revoke', machine, { token: parent });
    for (const token of [ofKey, fromKey, fromToken]) await listed(token, 1);
    expect(await statusOfToken(server.url, fromApp)).to.equal(0);
    const { id } = machine.client;
    await clients.update(id, (await clients.find(id))?.version ?? 0, { disabled: true }, operator);
    await listed(fromApp, 1);
    await clients.update(id, (await clients.find(id))?.version ?? 0, { disabled: false }, operator);
  });

  it('get an answer from introspection whatever a stranger put in their place', async () => {
    // An error would be counted by the services that ask, until they stop asking for everybody.
    for (const header of [' {"alg":"ES256"}', '{"x":1}', '{}', '{"alg":7}', '\t{"alg":"ES256","typ":"at+jwt"}']) {
      const token = `${Buffer.from(header).toString('base64url')}.e30.x`;
      const { status, json } = await post('/oauth2/introspect', gateway, { token });
      expect([status, json], header).to.deep.equal([200, { active: false }]);
      expect((await post('/oauth2/revoke', gateway, { token })).status, header).to.equal(200);
    }
  });

  it('are verified as access tokens, which refresh tokens are not', async () => {
    const web = new WebClient(server.url);
    const attempt = await app.relyingParty.request({ scope: 'openid notes:read', resource: first });
    const page = await signIn(web, await web.open(attempt.url), await createPerson(server));
    const tokens = await app.relyingParty.redeem(page.url, attempt, { resource: first });
    const verify = async (token: string): Promise<Record<string, unknown>> => {
      const headers = {
        authorization: `Basic ${btoa(`${app.client.id}:${app.secret}`)}`,
        'content-type': 'application/json',
      };
      const init = { method: 'POST', headers, body: JSON.stringify({ token }) };
      return (await (await fetch(`${server.url}/api/v1/auth/verify`, init)).json()) as Record<string, unknown>;
    };
    expect(await verify(tokens.access_token)).to.include({ active: true, allowed: true });
    const refresh = await verify(tokens.refresh_token ?? expect.fail('no refresh token'));
    expect(refresh).to.include({ active: false, allowed: false }).and.not.have.any.keys('user', 'claims');
  });

  it('are told of to nobody who only names a client that may ask about all', async () => {
    const metadata = { redirect_uris: [callback] };
    const attempt = createClient(server, { kind: 'spa', mayIntrospect: true, metadata });
    await attempt.then(
      () => expect.fail('a public client got the right'),
      (error: Error) => expect(error.message).to.include('mayIntrospect'),
    );
    // One from before that was refused.
    const { client } = await createClient(server, { kind: 'spa', metadata });
    await server.app.database.sql('client').where({ id: client.id }).update({ may_introspect: true });
    const token = await own(opaque);
    for (const asked of [token, await own()]) {
      const body = new URLSearchParams({ client_id: client.id, token: asked });
      const response = await fetch(`${server.url}/oauth2/introspect`, { method: 'POST', body });
      expect(await response.json()).to.deep.equal({ active: false });
    }
  });

  it('are not made into keys that reach further and live longer than the app that has them', async () => {
    const person = await createPerson(server);
    const owner = { kind: 'account', id: person.account.id } as const;
    const existing = await server.app.domains.apiKeys.create(
      { owner, name: 'Strong', audience: first, scopes: ['notes:read'] },
      operator,
    );
    for (const firstParty of [false, true]) {
      const { app: other } = await registerApp(server, firstParty);
      const ask = withToken(server, await tokenOf(server, person, { app: other, scope: 'account:security' }));
      const status = async (path: string, body: object): Promise<number> => (await ask('POST', path, body)).status;
      const make = (body: object): Promise<number> => status('/me/api-keys', { name: 'Mine', ...body });
      expect(await make({ audience: first, scopes: ['notes:read'] }), 'another API').to.equal(403);
      expect(await make({ scopes: ['account:write'] }), 'our own').to.equal(firstParty ? 201 : 403);
      const rotate = `/me/api-keys/${existing.key.id}/rotate`;
      expect(await status(rotate, { overlap_seconds: 60 }), 'a key that is there').to.equal(403);
    }
    expect(await server.app.domains.apiKeys.verify(existing.text)).to.not.equal(undefined);
  });
});
