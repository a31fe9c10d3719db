import { request } from 'node:http';
import { expect } from 'chai';
import { follow, mailed, register, roomy } from '../flows/entry-visitor.ts';
import { goodPassword, newAddress } from '../registration/fixture.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;

describe('what a stranger who registers an address first leaves behind', () => {
  let server: RunningApp;
  before(async () => {
    server = await startApp({ ...roomy, SALLYPORT_REGISTRATION: 'open' });
  });
  after(() => server?.[Symbol.asyncDispose]());
  const json = (path: string, body: unknown) =>
    fetch(`${server.url}/api/v1/auth/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  it('is no invitation that is used up', async () => {
    const email = newAddress();
    await server.app.domains.registration.invite({ email, roles: ['editor'] }, operator);
    const { path, token } = await mailed(server, email, 'invitation');
    expect(path).to.not.equal('');
    await register(new WebClient(server.url), email, goodPassword());
    const owner = new WebClient(server.url);
    await follow(owner, path, { 'new-password': goodPassword() });
    const account = await server.app.domains.accounts.findByLogin(email);
    const left = await server.app.domains.registration.viewInvitation(token);
    expect(
      left !== undefined || account?.roles.includes('editor'),
      `roles ${account?.roles}, ${account?.status}`,
    ).to.equal(true);
  });

  it('is no name or username, when the owner sets a password by mail', async () => {
    const email = newAddress();
    const username = `u${newAddress().slice(0, 12)}`;
    const sent = await json('register', { email, username, password: goodPassword(), name: 'Your bank, call +49 666' });
    expect(sent.status).to.equal(202);
    await json('password/forgot', { username: email });
    const { token } = await mailed(server, email, 'reset-password');
    expect((await json('password/reset', { token, password: goodPassword() })).status).to.equal(204);
    const account = await server.app.domains.accounts.findByLogin(email);
    expect({ status: account?.status, username: account?.username, name: account?.profile.name }).to.deep.equal({
      status: 'active',
      username: undefined,
      name: undefined,
    });
  });

  it('is no proof in another browser: no neighbour host can plant the cookie of the registration', async () => {
    const port = await freePort();
    // The proxy in front speaks https; what it passes on is plain.
    await using behindProxy = await startApp({
      ...roomy,
      PORT: String(port),
      SALLYPORT_ISSUER: 'https://login.example',
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
      SALLYPORT_REGISTRATION: 'open',
    });
    const seen = await new Promise<readonly string[]>((resolve, reject) => {
      const headers = { host: 'login.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
      const asked = request(`http://127.0.0.1:${port}/account/forgot-password`, { headers }, (reply) => {
        reply.resume();
        resolve(reply.headers['set-cookie'] ?? []);
      });
      asked.on('error', reject).end();
    });
    expect(behindProxy.url).to.equal('https://login.example');
    expect(seen).to.not.deep.equal([]);
    for (const cookie of seen) expect(cookie).to.match(/^__Host-[^=]+=.*; *path=\/;.*secure/i);
  });
});
