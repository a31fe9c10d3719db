import { request } from 'node:http';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { fetchList, statusOf, statusOfToken } from '../status-list/decoder.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const callback = 'https://app.example/callback';
const api = 'https://orders.example.com';
const plainApi = 'https://plain.example.com';

interface StatusClaims {
  readonly jti: string;
  readonly grant_id?: string;
  readonly status?: { readonly status_list: { readonly idx: number; readonly uri: string } };
}

describe('status lists of a running server', () => {
  let server: RunningApp;
  let web: Awaited<ReturnType<typeof createClient>>;
  let machine: Awaited<ReturnType<typeof createClient>>;
  let relyingParty: RelyingParty;

  before(async () => {
    server = await startApp({ SALLYPORT_LIMIT_REFRESH: '1000', SALLYPORT_STATUS_LIST_TTL_SECONDS: '20' });
    const { apis } = server.app.domains;
    const scopes = [{ name: 'orders.read', description: 'Read your orders' }];
    await apis.create({ identifier: api, name: 'Orders', scopes, statusList: true }, operator);
    await apis.create({ identifier: plainApi, name: 'Plain', scopes }, operator);
    const allowed = { [api]: ['orders.read'], [plainApi]: ['orders.read'] };
    web = await createClient(server, {
      kind: 'web',
      firstParty: true,
      apis: allowed,
      metadata: { redirect_uris: [callback] },
    });
    machine = await createClient(server, { kind: 'machine', apis: allowed });
    relyingParty = await RelyingParty.discover({
      ...{ issuer: server.url, clientId: web.client.id, redirectUri: callback },
      auth: oidc.ClientSecretBasic(web.secret),
    });
  });
  after(() => server[Symbol.asyncDispose]());

  const claimsOf = (token: string): StatusClaims => decodeJwt(token) as unknown as StatusClaims;

  async function tokens(person: Person, resource = api, browser = new WebClient(server.url)) {
    const attempt = await relyingParty.request({ scope: 'openid orders.read', resource });
    const page = await browser.open(attempt.url);
    const back = page.name === 'login' ? await signIn(browser, page, person) : page;
    return relyingParty.redeem(back.url, attempt, { resource });
  }
  const machineToken = async (resource = api): Promise<string> => {
    const response = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${machine.client.id}:${machine.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'orders.read' }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  /** Waits for the look that a list may be behind, a second. */
  const eventually = async (token: string, wanted: number): Promise<void> => {
    for (let tries = 0; ; tries += 1) {
      if ((await statusOfToken(server.url, token)) === wanted) return;
      if (tries === 40) throw new Error(`the status did not become ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it('are named by the JWTs of APIs that ask for them, each with a place of its own, refreshed ones too', async () => {
    const first = await tokens(await createPerson(server));
    const second = await oidc.refreshTokenGrant(relyingParty.config, first.refresh_token ?? '');
    const all = [first.access_token, second.access_token, await machineToken(), await machineToken()].map(claimsOf);
    const places = all.map(({ status }) => status?.status_list);
    expect(new Set(places.map((place) => `${place?.uri} ${place?.idx}`)).size).to.equal(4);
    for (const place of places) {
      expect(place?.uri).to.match(new RegExp(`^${server.url}/oauth2/status-lists/[a-z0-9]{16}$`));
      expect(place?.idx).to.be.within(0, 2 ** 18 - 1);
    }
    for (const token of [
      await machineToken(plainApi),
      (await tokens(await createPerson(server), plainApi)).access_token,
    ]) {
      expect(claimsOf(token).status).to.equal(undefined);
    }
    const metadata = relyingParty.config.serverMetadata() as { status_list_aggregation_endpoint?: string };
    const answer = await fetch(metadata.status_list_aggregation_endpoint ?? '');
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
    expect(await answer.json()).to.deep.equal({ status_lists: [...new Set(places.map((place) => place?.uri))] });
  });

  it('are signed, cacheable, readable from everywhere, and nothing but what they are', async () => {
    const { status } = claimsOf(await machineToken());
    const uri = status?.status_list.uri ?? '';
    const { response, token, payload, header } = await fetchList(server.url, uri);
    expect(header).to.include({ alg: 'ES256', typ: 'statuslist+jwt' });
    expect(payload).to.include({ iss: server.url, sub: uri, ttl: 20 });
    expect(payload.exp - payload.iat).to.equal(200);
    expect(payload.status_list).to.include({ bits: 1, aggregation_uri: `${server.url}/oauth2/status-lists` });
    expect(() => statusOf(payload.status_list, 2 ** 18)).to.throw(RangeError);
    const { headers } = response;
    expect(headers.get('content-type')).to.equal('application/statuslist+jwt');
    expect(headers.get('cache-control')).to.equal('public, max-age=5');
    expect(headers.get('access-control-allow-origin')).to.equal('*');
    expect(headers.get('vary')).to.match(/Accept-Encoding/i);
    expect(headers.get('set-cookie')).to.equal(null);
    const etag = headers.get('etag') ?? '';
    const again = await fetch(uri, { headers: { 'if-none-match': etag } });
    expect({ status: again.status, body: await again.text() }).to.deep.equal({ status: 304, body: '' });
    const head = await fetch(uri, { method: 'HEAD' });
    expect(head.headers.get('etag')).to.equal(etag);
    const encodings = await new Promise<(string | undefined)[]>((resolve, reject) => {
      const seen: (string | undefined)[] = [];
      for (const encoding of ['gzip', 'identity']) {
        request(uri, { headers: { 'accept-encoding': encoding } }, (res) => {
          res.resume();
          if (seen.push(res.headers['content-encoding']) === 2) resolve(seen);
        })
          .on('error', reject)
          .end();
      }
    });
    expect(new Set(encodings)).to.deep.equal(new Set(['gzip', undefined]));
    const statusFor = async (address: string, accept = '*/*'): Promise<number> =>
      (await fetch(address, { headers: { accept } })).status;
    expect(await statusFor(uri, 'application/statuslist+cwt')).to.equal(406);
    expect(await statusFor(`${uri}?time=1798761600`)).to.equal(501);
    expect(await statusFor(`${uri}x`)).to.equal(404);
    expect(await statusFor(`${server.url}/oauth2/status-lists/..%2f..%2fetc`)).to.equal(404);
    const asToken = await fetch(`${server.url}/oauth2/introspect`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${machine.client.id}:${machine.secret}`)}` },
      body: new URLSearchParams({ token }),
    });
    expect(await asToken.json()).to.deep.equal({ active: false });
  });

  it('learn of a revoked token, of a sign-out everywhere, of a disabled account and of a disabled app', async () => {
    const { domains } = server.app;
    const [one, two, neighbour] = [await machineToken(), await machineToken(), await createPerson(server)];
    const untouched = (await tokens(neighbour)).access_token;
    await oidc.tokenRevocation(
      await oidc.discovery(new URL(server.url), machine.client.id, undefined, oidc.ClientSecretBasic(machine.secret), {
        execute: [oidc.allowInsecureRequests],
      }),
      one,
    );
    await eventually(one, 1);
    expect(await statusOfToken(server.url, two)).to.equal(0);

    const leaver = await createPerson(server);
    const left = await tokens(leaver);
    await oidc.tokenRevocation(relyingParty.config, left.refresh_token ?? '');
    await eventually(left.access_token, 1);

    const ended = await createPerson(server);
    const inSession = (await tokens(ended)).access_token;
    const [session] = await domains.sessions.list(ended.account.id);
    await domains.sessions.end(session?.id ?? '', operator);
    await eventually(inSession, 1);

    const disabled = await createPerson(server);
    const ofDisabled = (await tokens(disabled)).access_token;
    await domains.accounts.disable(disabled.account.id, operator);
    await eventually(ofDisabled, 1);
    expect(await statusOfToken(server.url, untouched)).to.equal(0);

    const current = await domains.clients.find(machine.client.id);
    await domains.clients.update(machine.client.id, current?.version ?? 0, { disabled: true }, operator);
    await eventually(two, 1);
    expect(await statusOfToken(server.url, untouched)).to.equal(0);
  });
});
