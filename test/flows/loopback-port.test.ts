import { expect } from 'chai';
import * as oidc from 'openid-client';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { type Attempt, allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

describe('loopback ports of native apps (RFC 8252 §7.3)', () => {
  let server: RunningApp;
  let person: Person;
  let clientId: string;

  before(async () => {
    server = await startApp();
    person = await createPerson(server);
    const { client } = await createClient(server, {
      kind: 'native',
      metadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    });
    clientId = client.id;
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** The app as it listens at this address. */
  const appAt = (redirectUri: string): Promise<RelyingParty> =>
    RelyingParty.discover({ issuer: server.url, clientId, auth: oidc.None(), redirectUri });

  /** Signs in and allows it, and returns where that leads. */
  async function authorize({ url }: Attempt): Promise<URL> {
    const web = new WebClient(server.url);
    return (await allow(web, await signIn(web, await web.open(url), person))).url;
  }

  for (const port of [49_152, 61_023]) {
    it(`come back at port ${port}, which nobody registered, and redeem the code there`, async () => {
      const app = await appAt(`http://127.0.0.1:${port}/callback`);
      const attempt = await app.request();
      const url = await authorize(attempt);
      expect(url.href).to.match(new RegExp(`^http://127\\.0\\.0\\.1:${port}/callback\\?code=`));
      expect((await app.redeem(url, attempt)).claims()?.sub).to.equal(person.account.id);
    });
  }

  it('bind the code to the one port where it was asked for', async () => {
    const app = await appAt('http://127.0.0.1:49153/callback');
    const attempt = await app.request();
    const url = await authorize(attempt);
    const answer = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: clientId,
        code: url.searchParams.get('code') ?? '',
        code_verifier: attempt.checks.pkceCodeVerifier,
        redirect_uri: 'http://127.0.0.1:49154/callback',
      }),
    });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).to.deep.equal([400, 'invalid_grant']);
  });

  for (const [what, address] of [
    ['another path', 'http://127.0.0.1:49152/other'],
    ['a longer path', 'http://127.0.0.1:49152/callback/x'],
    ['a query', 'http://127.0.0.1:49152/callback?x=1'],
    ['the name of this machine', 'http://localhost:49152/callback'],
    ['the other family of addresses', 'http://[::1]:49152/callback'],
    ['another host', 'http://192.0.2.1:49152/callback'],
    ['a host that begins alike', 'http://127.0.0.1.evil.example:49152/callback'],
    ['a user name', 'http://127.0.0.1:49152@evil.example/callback'],
    ['https', 'https://127.0.0.1:49152/callback'],
  ] as const) {
    it(`refuse ${what} without a redirect`, async () => {
      const { url } = await (await appAt(address)).request();
      const answer = await fetch(url, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).to.deep.equal([400, null]);
      expect(await answer.text()).to.include('data-page="error"');
    });
  }
});
