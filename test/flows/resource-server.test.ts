import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { createRemoteJWKSet, decodeProtectedHeader, generateKeyPair, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import {
  AccessError,
  createResourceServer,
  type ResourceServer,
  type ResourceServerOptions,
} from '../../src/resource-server/index.ts';
import { createClient, createPerson, enrolTotp } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
const audience = 'https://orders.example.com';
const jwtType = 'application/token-introspection+jwt';

interface Registered {
  readonly client: { readonly id: string };
  readonly secret: string;
}

describe('sallyport/resource-server beside a running server', () => {
  let server: RunningApp;
  let machine: Registered;
  let service: Registered;
  let stranger: Registered;
  let relyingParty: RelyingParty;
  let opaque: string;
  /** Seconds that the resource servers are ahead of the clock on the wall. */
  let ahead = 0;

  before(async () => {
    server = await startApp({ SALLYPORT_STATUS_LIST_TTL_SECONDS: '5' });
    const { apis } = server.app.domains;
    const scopes = ['orders.read', 'orders.write'].map((name) => ({ name, description: name }));
    await apis.create({ identifier: audience, name: 'Orders', scopes, statusList: true }, operator);
    opaque = 'https://opaque.example.com';
    await apis.create({ identifier: opaque, name: 'Opaque', scopes, tokenFormat: 'opaque' }, operator);
    const allowed = { [audience]: ['orders.read', 'orders.write'], [opaque]: ['orders.read'] };
    machine = await createClient(server, { kind: 'machine', apis: allowed });
    service = await createClient(server, { kind: 'service', apis: { [audience]: [], [opaque]: [] } as never });
    stranger = await createClient(server, { kind: 'service' });
    const metadata = { redirect_uris: [callback] };
    const web = await createClient(server, { kind: 'web', firstParty: true, apis: allowed, metadata });
    relyingParty = await RelyingParty.discover({
      ...{ issuer: server.url, clientId: web.client.id, redirectUri: callback },
      auth: oidc.ClientSecretBasic(web.secret),
    });
  });
  after(() => server[Symbol.asyncDispose]());

  const basic = ({ client, secret }: Registered): string => `Basic ${btoa(`${client.id}:${secret}`)}`;
  const api = (extra: Partial<ResourceServerOptions> = {}): ResourceServer =>
    createResourceServer({ issuer: server.url, audience, now: () => Date.now() + ahead * 1000, ...extra });
  const post = (path: string, by: Registered, form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: basic(by), ...headers },
      body: new URLSearchParams(form),
    });
  const machineToken = async (resource = audience): Promise<string> => {
    const form = { grant_type: 'client_credentials', resource, scope: 'orders.read' };
    return ((await (await post('/oauth2/token', machine, form)).json()) as { access_token: string }).access_token;
  };
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: unknown) => {
        if (error instanceof AccessError) return error.code;
        throw error;
      },
    );
  const asker = (by: Registered) => ({ clientId: by.client.id, clientSecret: by.secret });

  it('verifies offline, and learns of a revocation within the ttl of the list', async () => {
    const orders = api();
    const token = await machineToken();
    expect((await orders.verify(token)).claims).to.include({ client_id: machine.client.id });
    expect(await codeOf(api({ audience: 'https://other.example.com' }).verify(token))).to.equal('invalid_token');
    expect((await post('/oauth2/revoke', machine, { token })).status).to.equal(200);
    expect(await codeOf(orders.verify(token)), 'its copy is young').to.equal('accepted');
    // The server looks once a second; the copy is old after five.
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    ahead = 5;
    expect(await codeOf(orders.verify(token))).to.equal('invalid_token');
    ahead = 0;
  });

  it('takes no ID token and no list for an access token', async () => {
    const person = await createPerson(server);
    const attempt = await relyingParty.request({ scope: 'openid orders.read', resource: audience });
    const browser = new WebClient(server.url);
    const back = await signIn(browser, await browser.open(attempt.url), person);
    const tokens = await relyingParty.redeem(back.url, attempt, { resource: audience });
    const orders = api();
    const { claims, scopes } = await orders.verify(tokens.access_token);
    expect(claims.sub).to.equal(person.account.id);
    expect([...scopes]).to.deep.equal(['orders.read']);
    expect(await codeOf(orders.verify(tokens.id_token ?? ''))).to.equal('invalid_token');
    const asClient = api({ audience: [audience, relyingParty.config.clientMetadata().client_id] });
    expect(await codeOf(asClient.verify(tokens.id_token ?? ''))).to.equal('invalid_token');
    const list = await (await fetch(claims.status?.status_list?.uri ?? '')).text();
    expect(await codeOf(orders.verify(list))).to.equal('invalid_token');
    expect(await codeOf(orders.verify(tokens.refresh_token ?? ''))).to.equal('invalid_token');
  });

  it('takes tokens that are bound by DPoP from who has the key, as openid-client makes them', async () => {
    const orders = api({ baseUrl: 'https://orders.example.com' });
    const keys = await generateKeyPair('ES256', { extractable: true });
    const config = await oidc.discovery(
      new URL(server.url),
      machine.client.id,
      undefined,
      oidc.ClientSecretBasic(machine.secret),
      { execute: [oidc.allowInsecureRequests] },
    );
    const handle = oidc.getDPoPHandle(config, keys);
    const form = { resource: audience, scope: 'orders.read' };
    const { access_token: token, token_type: type } = await oidc.clientCredentialsGrant(config, form, { DPoP: handle });
    expect(type).to.equal('dpop');
    const seen: { authorization: string | undefined; proof: string | undefined }[] = [];
    const url = new URL('https://orders.example.com/orders?page=1');
    // The token is had; from here on the app talks to the API, which is this test.
    config[oidc.customFetch] = async (_url, { headers }) => {
      const sent = new Headers(headers as Record<string, string>);
      seen.push({ authorization: sent.get('authorization') ?? undefined, proof: sent.get('dpop') ?? undefined });
      return new Response('{}');
    };
    await oidc.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, { DPoP: handle });
    const [shown] = seen;
    const request = { authorization: shown?.authorization, proof: shown?.proof, method: 'GET', url: url.href };
    expect((await orders.authenticate(request)).claims.cnf?.jkt).to.be.a('string');
    expect(await codeOf(orders.authenticate(request))).to.equal('invalid_dpop_proof');
    expect(await codeOf(orders.verify(token))).to.equal('invalid_token');
  });

  it('asks about opaque tokens, in plain JSON or signed, and learns nothing of those of others', async () => {
    const token = await machineToken(opaque);
    for (const signed of [false, true]) {
      const orders = api({ audience: opaque, introspection: { ...asker(service), signed } });
      expect((await orders.verify(token)).claims.client_id, String(signed)).to.equal(machine.client.id);
      const other = api({ audience: opaque, introspection: { ...asker(stranger), signed } });
      expect(await codeOf(other.verify(token))).to.equal('invalid_token');
      const locked = api({ audience: opaque, introspection: { ...asker(service), clientSecret: 'wrong', signed } });
      expect(await codeOf(locked.verify(token))).to.equal('unavailable');
    }
  });

  describe('signed introspection responses (RFC 9701)', () => {
    const ask = (token: string, by: Registered, accept = jwtType): Promise<Response> =>
      post('/oauth2/introspect', by, { token }, { accept });

    it('say the same as plain ones, for whoever asked alone', async () => {
      const keys = createRemoteJWKSet(new URL(`${server.url}/oauth2/jwks`));
      for (const token of [
        await machineToken(),
        await machineToken(opaque),
        'at_unknown',
        'eyJhbGciOiJub25lIn0.e30.x',
      ]) {
        const plain = (await (await ask(token, service, 'application/json')).json()) as Record<string, unknown>;
        const response = await ask(token, service);
        expect(response.status).to.equal(200);
        expect(response.headers.get('content-type')).to.equal(jwtType);
        expect(response.headers.get('cache-control')).to.equal('no-store');
        expect(response.headers.get('vary')).to.match(/accept/i);
        const jwt = await response.text();
        const { payload, protectedHeader } = await jwtVerify(jwt, keys, {
          ...{ typ: 'token-introspection+jwt', issuer: server.url, audience: service.client.id },
        });
        expect(Object.keys(payload).sort()).to.deep.equal(['aud', 'iat', 'iss', 'token_introspection']);
        expect(protectedHeader.alg).to.equal('RS256');
        expect(payload.token_introspection).to.deep.equal(plain);
        // It is no token itself.
        expect(await codeOf(api({ audience: service.client.id }).verify(jwt))).to.equal('invalid_token');
        expect(await (await ask(jwt, service, 'application/json')).json()).to.deep.equal({ active: false });
      }
    });

    it('tell a stranger that nothing is active, and nobody anything', async () => {
      const token = await machineToken();
      const jwt = await (await ask(token, stranger)).text();
      const payload = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
      expect(payload.token_introspection).to.deep.equal({ active: false });
      expect(payload.aud).to.equal(stranger.client.id);
      for (const refused of [
        await ask(token, { ...service, secret: 'wrong' }),
        await fetch(`${server.url}/oauth2/introspect`, {
          ...{ method: 'POST', headers: { accept: jwtType }, body: new URLSearchParams({ token }) },
        }),
      ]) {
        expect(refused.status).to.be.within(400, 401);
        expect(refused.headers.get('content-type')).to.match(/^application\/json/);
      }
    });

    it('come only when they are wanted more than JSON', async () => {
      const token = await machineToken();
      for (const accept of ['application/json', '*/*', `application/json, ${jwtType}`, `${jwtType};q=0.1, */*`]) {
        expect((await ask(token, service, accept)).headers.get('content-type'), accept).to.match(/^application\/json/);
      }
      const preferred = await ask(token, service, `${jwtType}, application/json;q=0.5`);
      expect(decodeProtectedHeader(await preferred.text()).typ).to.equal('token-introspection+jwt');
      const metadata = relyingParty.config.serverMetadata() as {
        introspection_signing_alg_values_supported?: string[];
      };
      expect(metadata.introspection_signing_alg_values_supported).to.include('RS256');
    });
  });

  describe('the example', () => {
    let example: ChildProcess;
    let url: string;

    before(async () => {
      const port = await freePort();
      example = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'examples', 'orders-api.mjs')], {
        env: { ...process.env, ISSUER: server.url, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (!example.stdout) throw new Error('no output');
      const { value } = await createInterface({ input: example.stdout })[Symbol.asyncIterator]().next();
      url = /http:\S+/.exec(value ?? '')?.[0] ?? '';
    });
    after(async () => {
      const ended = once(example, 'exit');
      example.kill();
      await ended;
    });

    it('serves who may, and tells the others what to get', async () => {
      const none = await fetch(`${url}/orders`);
      expect(none.status).to.equal(401);
      const address = /resource_metadata="([^"]+)"/.exec(none.headers.get('www-authenticate') ?? '')?.[1] ?? '';
      const metadata = await fetch(url + new URL(address).pathname);
      expect(await metadata.json()).to.deep.include({ resource: audience, authorization_servers: [server.url] });
      const authorization = `Bearer ${await machineToken()}`;
      const read = await fetch(`${url}/orders`, { headers: { authorization } });
      expect(await read.json()).to.deep.equal({ orders: [], for: machine.client.id });
      const write = await fetch(`${url}/orders`, { method: 'POST', headers: { authorization } });
      expect(write.status).to.equal(403);
      expect(write.headers.get('www-authenticate')).to.include('scope="orders.write"');
    });

    it('sends an app back for a second factor, and takes the token that it gets then', async () => {
      const person = await createPerson(server);
      const totp = await enrolTotp(server, person.account.id, person.login);
      const scope = 'openid orders.write';
      const browser = new WebClient(server.url);
      const first = await relyingParty.request({ scope, resource: audience, acr_values: 'aal2' });
      const code = await signIn(browser, await browser.open(first.url), person);
      const back = await browser.submit(code, { code: await totp.code(), action: 'continue' }, 'code');
      const tokens = await relyingParty.redeem(back.url, first, { resource: audience });
      const call = (token: string) =>
        fetch(`${url}/orders`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
      expect((await call(tokens.access_token)).status).to.equal(200);

      const weak = await createPerson(server);
      const other = new WebClient(server.url);
      const attempt = await relyingParty.request({ scope, resource: audience });
      const plain = await signIn(other, await other.open(attempt.url), weak);
      const { access_token: token } = await relyingParty.redeem(plain.url, attempt, { resource: audience });
      const refused = await call(token);
      expect(refused.status).to.equal(401);
      expect(refused.headers.get('www-authenticate')).to.match(
        /error="insufficient_user_authentication".*acr_values="aal2", max_age="900"/,
      );
    });
  });
});
