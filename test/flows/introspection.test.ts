import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const callback = 'https://app.example/callback';
const operator = { kind: 'operator' } as const;

interface Asker {
  readonly client: { readonly id: string };
  readonly secret: string;
}

describe('introspection for services', () => {
  let server: RunningApp;
  let person: Person;
  let api: string;
  let opaqueApi: string;
  let app: Asker & { relyingParty: RelyingParty };
  let machine: Asker;
  const askers: Record<string, Asker> = {};

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_REFRESH: '1000' });
    person = await createPerson(server);
    api = await createApi(server);
    opaqueApi = await createApi(server, { tokenFormat: 'opaque' });
    const apis = { [api]: ['notes:read'], [opaqueApi]: ['notes:read'] };
    const web = await createClient(server, {
      kind: 'web',
      firstParty: true,
      apis,
      metadata: { redirect_uris: [callback] },
    });
    const auth = oidc.ClientSecretBasic(web.secret);
    app = {
      ...web,
      relyingParty: await RelyingParty.discover({
        issuer: server.url,
        clientId: web.client.id,
        auth,
        redirectUri: callback,
      }),
    };
    machine = await createClient(server, { kind: 'machine', apis });
    askers.owner = web;
    askers.audience = await createClient(server, { kind: 'service', apis: { [api]: [], [opaqueApi]: [] } });
    askers.trusted = await createClient(server, { kind: 'service', mayIntrospect: true });
    askers.stranger = await createClient(server, { kind: 'service' });
  });
  after(() => server[Symbol.asyncDispose]());

  const basic = ({ client, secret }: Asker): string =>
    `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;
  const ask = async (
    asker: Asker | undefined,
    token: string,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    if (!asker) throw new Error('no such asker');
    const response = await fetch(`${server.url}/oauth2/introspect`, {
      method: 'POST',
      headers: { authorization: basic(asker), ...headers },
      body: new URLSearchParams({ token }),
    });
    expect(response.status).to.equal(200);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    return (await response.json()) as Record<string, unknown>;
  };
  /** A header that only oidc-provider's own handler understands, so that it answers. */
  const askLibrary = (asker: Asker | undefined, token: string): Promise<Record<string, unknown>> =>
    ask(asker, token, { accept: 'application/json, application/token-introspection+jwt' });

  async function tokens(resource?: string, web = new WebClient(server.url)): Promise<oidc.TokenEndpointResponse> {
    const scope = resource ? 'openid notes:read' : 'openid email';
    const attempt = await app.relyingParty.request({ scope, ...(resource && { resource }) });
    const page = await web.open(attempt.url);
    const back = page.name === 'login' ? await signIn(web, page, person) : page;
    return app.relyingParty.redeem(back.url, attempt, resource ? { resource } : {});
  }
  const machineToken = async (resource?: string): Promise<string> => {
    const response = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: basic(machine) },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(resource && { resource, scope: 'notes:read' }),
      }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };

  it('answers for every kind of token exactly as oidc-provider does, to every kind of asker', async () => {
    const userinfo = await tokens();
    const subjects: Record<string, string> = {
      'opaque access token': userinfo.access_token,
      'refresh token': userinfo.refresh_token ?? '',
      'opaque access token of an API': (await tokens(opaqueApi)).access_token,
      'JWT of an API': (await tokens(api)).access_token,
      'machine token': await machineToken(),
      'machine token of an API': await machineToken(opaqueApi),
      'JWT of a machine': await machineToken(api),
    };
    const without = ({ jti: _same, ...rest }: Record<string, unknown>): Record<string, unknown> => rest;
    for (const [what, token] of Object.entries(subjects)) {
      for (const [who, asker] of Object.entries(askers)) {
        const [ours, library] = [await ask(asker, token), await askLibrary(asker, token)];
        expect(without(ours), `${what} to ${who}`).to.deep.equal(without(library));
        if (who === 'trusted') expect(ours.active, what).to.equal(true);
        if (who === 'stranger') expect(ours, what).to.deep.equal({ active: false });
        if (who === 'audience') expect(ours.active, what).to.equal(/of an API$|^JWT/.test(what));
        expect(ours).to.not.have.any.keys('grant_id', 'gty', 'accountId');
      }
    }
  });

  it('calls forged, altered, unknown and foreign tokens inactive and nothing else', async () => {
    const real = (await tokens(api)).access_token;
    const [header = '', payload = '', signature = ''] = real.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const idToken = (await tokens()).id_token ?? '';
    for (const token of [
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${none}.${payload}.`,
      idToken,
      'x',
      `at_${'a'.repeat(53)}`,
      'eyJ.eyJ.x',
      'ac_1',
    ]) {
      expect(await ask(askers.trusted, token), token).to.deep.equal({ active: false });
    }
  });

  it('refuses askers that do not prove themselves', async () => {
    const body = new URLSearchParams({ token: 'x' });
    const post = (headers: Record<string, string>, extra: Record<string, string> = {}): Promise<Response> =>
      fetch(`${server.url}/oauth2/introspect`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ ...Object.fromEntries(body), ...extra }),
      });
    const { client, secret } = askers.audience as Asker;
    expect((await post({ authorization: basic({ client, secret: 'wrong' }) })).status).to.equal(401);
    expect((await post({ authorization: basic({ client, secret: '' }) })).status).to.be.within(400, 401);
    expect((await post({ authorization: basic({ client: { id: 'nobody' }, secret }) })).status).to.equal(401);
    expect((await post({}, { client_id: client.id, client_secret: secret })).status).to.equal(401);
    expect((await post({ authorization: basic({ client, secret }) }, { client_secret: secret })).status).to.equal(400);
    expect((await post({})).status).to.equal(400);
  });

  it('forgets tokens at once when they, their grant, their session, their account or their app end', async () => {
    const isActive = async (token: string): Promise<unknown> => (await ask(askers.trusted, token)).active;
    const revoked = await tokens(api);
    await oidc.tokenRevocation(app.relyingParty.config, revoked.access_token);
    expect(await isActive(revoked.access_token)).to.equal(false);

    const byRefresh = await tokens(api);
    await oidc.tokenRevocation(app.relyingParty.config, byRefresh.refresh_token ?? '');
    expect(await isActive(byRefresh.access_token), 'JWT of a revoked grant').to.equal(false);

    const web = new WebClient(server.url);
    const [opaque, jwt] = [await tokens(undefined, web), await tokens(api, web)];
    expect(await isActive(opaque.access_token)).to.equal(true);
    const confirm = await web.open(
      oidc.buildEndSessionUrl(app.relyingParty.config, { id_token_hint: opaque.id_token ?? '' }),
    );
    await web.submit(confirm, { logout: 'yes' }, 'xsrf');
    for (const token of [opaque.access_token, opaque.refresh_token ?? '', jwt.access_token])
      expect(await isActive(token)).to.equal(false);

    const { accounts, clients } = server.app.domains;
    const [before, machineJwt] = [await tokens(api), await machineToken(api)];
    await accounts.disable(person.account.id, operator);
    expect(await isActive(before.access_token), 'JWT of a disabled account').to.equal(false);
    expect(
      (await oidc
        .refreshTokenGrant(app.relyingParty.config, before.refresh_token ?? '')
        .catch((error: { error: string }) => error)) as { error: string },
    ).to.have.property('error', 'invalid_grant');
    await accounts.enable(person.account.id, operator);
    const machineClient = await clients.find(machine.client.id);
    if (!machineClient) throw new Error('the machine is gone');
    expect(await isActive(machineJwt)).to.equal(true);
    await clients.update(machineClient.id, machineClient.version, { disabled: true }, operator);
    expect(await isActive(machineJwt), 'JWT of a disabled app').to.equal(false);
  });
});
