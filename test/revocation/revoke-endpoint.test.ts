import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, importJWK, SignJWT } from 'jose';
import { apiIdentifier } from '../../src/web/api/resource.ts';
import { DirectClient, textOf } from '../support/direct-client.ts';
import { createApi, createClient, createPerson, type Person } from '../support/people.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

interface Party {
  readonly client: { readonly id: string };
  readonly secret: string;
}

/** RFC 7009 for access tokens that verify without asking us. */
describe('revoking JWT access tokens by their client', () => {
  let server: RunningApp;
  let person: Person;
  let api: string;
  let machine: Party;
  let stranger: Party;
  let service: Party;
  let app: DirectClient;

  before(async () => {
    server = await startApp();
    api = await createApi(server);
    person = await createPerson(server);
    const apis = { [api]: ['notes:read'] };
    machine = await createClient(server, { kind: 'machine', apis });
    stranger = await createClient(server, { kind: 'machine', apis });
    service = await createClient(server, { kind: 'service', apis: { [api]: [] } });
    app = await DirectClient.register(server, { apis: { [apiIdentifier(server.url)]: ['account:read'] } });
  });
  after(() => server[Symbol.asyncDispose]());

  const post = (path: string, { client, secret }: Party, fields: Record<string, string>): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${secret}`)}` },
      body: new URLSearchParams(fields),
    });
  const issue = async (): Promise<string> => {
    const fields = { grant_type: 'client_credentials', resource: api, scope: 'notes:read' };
    return textOf((await (await post('/oauth2/token', machine, fields)).json()) as never, 'access_token');
  };
  const introspect = async (token: string): Promise<Record<string, unknown>> =>
    (await (await post('/oauth2/introspect', service, { token })).json()) as Record<string, unknown>;
  const revoke = (party: Party, token: string, hint = {}): Promise<Response> =>
    post('/oauth2/revoke', party, { token, ...hint });

  /** A token that says what this says, signed with our key or with one of the caller's. */
  async function forge(change: {
    claims?: object;
    key?: Parameters<SignJWT['sign']>[0];
    typ?: string;
  }): Promise<string> {
    const real = await issue();
    const jwk = server.app.domains.keys.current().signing.find(({ kid }) => kid === decodeProtectedHeader(real).kid);
    if (!jwk) throw new Error('the key of this token is gone');
    const header = { ...decodeProtectedHeader(real), alg: 'ES256', typ: change.typ ?? 'at+jwt' };
    const claims = { ...decodeJwt(real), ...change.claims };
    return new SignJWT(claims).setProtectedHeader(header).sign(change.key ?? (await importJWK(jwk, 'ES256')));
  }

  it('makes them inactive at once, whatever the hint says, again and again', async () => {
    for (const hint of [{}, { token_type_hint: 'access_token' }, { token_type_hint: 'refresh_token' }]) {
      const [token, other] = [await issue(), await issue()];
      expect(await introspect(token)).to.include({ active: true });
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await revoke(machine, token, hint);
        expect([answer.status, await answer.text()]).to.deep.equal([200, '']);
        expect(await introspect(token)).to.deep.equal({ active: false });
      }
      expect(await introspect(other)).to.include({ active: true });
    }
    const id = machine.client.id;
    const events = await server.app.domains.audit.list({ type: 'token.revoked', limit: 9 });
    expect(events).to.have.length(3);
    expect(events[0]).to.deep.include({ actor: { kind: 'client', id } });
  });

  it('takes them from our own API too, and leaves the others of that grant', async () => {
    const resource = apiIdentifier(server.url);
    const { body } = await app.login(person, { scope: 'openid account:read', resource });
    const token = textOf(body, 'access_token');
    expect(decodeJwt(token).aud).to.equal(resource);
    const me = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${server.url}/api/v1/me`, { headers })).status;
    };
    expect(await me()).to.equal(200);
    expect((await app.form('/oauth2/revoke', { token })).status).to.equal(200);
    expect(await me()).to.equal(401);
    const userinfo = await fetch(`${server.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(userinfo.status).to.equal(401);
    const fields = { grant_type: 'refresh_token', refresh_token: textOf(body, 'refresh_token') };
    expect((await app.form('/oauth2/token', fields)).status).to.equal(200);
  });

  it('leaves alone what is not the asker’s, and says nothing about it', async () => {
    const token = await issue();
    const answer = await revoke(stranger, token);
    expect([answer.status, await answer.text()]).to.deep.equal([200, '']);
    expect(await introspect(token)).to.include({ active: true });
    expect((await revoke({ ...machine, secret: 'wrong' }, token)).status).to.equal(401);
    expect((await post('/oauth2/revoke', machine, {})).status).to.equal(400);
    expect(await introspect(token)).to.include({ active: true });
  });

  it('answers forged, foreign, expired and broken ones as RFC 7009 §2.2 says, and keeps no row of them', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await issue();
    const [, payload = ''] = token.split('.');
    const none = btoa('{"alg":"none","typ":"at+jwt"}').replace(/=+$/, '');
    const now = Math.floor(Date.now() / 1000);
    const before = (await server.app.domains.revocations.count()).token;
    for (const bad of [
      `${none}.${payload}.`,
      `${token.slice(0, -4)}AAAA`,
      await forge({ key: privateKey }),
      await forge({ claims: { iss: 'https://elsewhere.example' } }),
      await forge({ claims: { iat: now - 900, exp: now - 300 } }),
      await forge({ typ: 'logout+jwt' }),
      'eyJhbGciOiJFUzI1NiJ9.e30.',
      'eyJ.eyJ.x',
      'x',
    ]) {
      expect((await revoke(machine, bad)).status, bad.slice(0, 40)).to.equal(200);
    }
    expect(await introspect(token), 'whose parts they used').to.include({ active: true });
    expect((await server.app.domains.revocations.count()).token).to.equal(before);
  });
});
