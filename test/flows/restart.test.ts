import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts';
import { freePort } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

interface Demo {
  readonly users: readonly { readonly username: string; readonly password: string }[];
}

const fail = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it started',
    (error: Error) => error.message,
  );

describe('one command, nothing beside it', function () {
  this.timeout(120_000);
  let dataDir: string;
  let port: number;
  let server: ServerProcess | undefined;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-start-'));
    port = await freePort();
  });
  after(async () => {
    await server?.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const relyingParty = (url: string): Promise<RelyingParty> =>
    RelyingParty.discover({
      issuer: url,
      clientId: 'demo-spa',
      auth: oidc.None(),
      redirectUri: 'http://localhost:8080/callback',
    });

  it('starts, says where to go, and keeps sessions, tokens, keys and passwords over kill -9', async () => {
    server = await spawnServer({ dataDir, port });
    for (const text of [server.url, 'Playground', 'alice', 'bob', 'admin']) expect(server.output()).to.include(text);
    const demo = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as Demo;
    const alice = demo.users.find(({ username }) => username === 'alice');
    expect(server.output()).to.include(alice?.password ?? 'no password');

    const web = new WebClient(server.url);
    const app = await relyingParty(server.url);
    const attempt = await app.request({ scope: 'openid email' });
    const consent = await signIn(web, await web.open(attempt.url), { login: 'alice', password: alice?.password ?? '' });
    const tokens = await app.redeem((await allow(web, consent)).url, attempt);
    const refreshed = await oidc.refreshTokenGrant(app.config, tokens.refresh_token ?? '');
    const jwks = await (await fetch(`${server.url}/oauth2/jwks`)).text();
    expect(await server.stop('SIGKILL')).to.equal('SIGKILL');

    server = await spawnServer({ dataDir, port });
    expect(await (await fetch(`${server.url}/oauth2/jwks`)).text()).to.equal(jwks);
    expect((await oidc.fetchUserInfo(app.config, refreshed.access_token, tokens.claims()?.sub ?? '')).email).to.be.a(
      'string',
    );
    const again = await oidc.refreshTokenGrant(app.config, refreshed.refresh_token ?? '');
    expect(again.access_token).to.be.a('string');
    const silent = await web.open((await app.request({ scope: 'openid email', prompt: 'none' })).url);
    expect(silent.url.searchParams.get('code')).to.be.a('string');
    expect(server.output()).to.include(alice?.password ?? 'no password');
  });

  it('keeps its secrets to itself', () => {
    for (const name of ['secrets', 'demo.json', 'control.sock']) {
      expect(statSync(join(dataDir, name)).mode & 0o077, name).to.equal(0);
    }
  });

  it('refuses a second process on the same data directory and says who has it', async () => {
    const message = await fail(spawnServer({ dataDir }));
    expect(message).to.include(String(server?.child.pid)).and.include(dataDir);
    expect((await fetch(`${server?.managementUrl}/readyz`)).status).to.equal(200);
  });

  it('ends well on SIGTERM; what is under way then is another test', async () => {
    expect(await server?.stop('SIGTERM')).to.equal(0);
    server = undefined;
  });

  it('keeps everything over a clean stop too, and makes nothing again', async () => {
    const demo = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as Demo;
    server = await spawnServer({ dataDir, port });
    expect(server.output()).not.to.match(/Making|Preparing/);
    const alice = demo.users.find(({ username }) => username === 'alice');
    const web = new WebClient(server.url);
    const app = await relyingParty(server.url);
    const attempt = await app.request({ scope: 'openid email' });
    const page = await signIn(web, await web.open(attempt.url), { login: 'alice', password: alice?.password ?? '' });
    // Her consent of before the stop is still there: no page asks again.
    expect((await app.redeem(page.url, attempt)).access_token).to.be.a('string');
    expect(await server.stop('SIGTERM')).to.equal(0);
    server = undefined;
  });

  it('names the port that is taken before it makes anything, and works at other ones with its demo data', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port: busy } = taken.address() as AddressInfo;
    const fresh = join(dataDir, 'fresh');
    try {
      const message = await fail(spawnServer({ dataDir: fresh, port: busy }));
      expect(message)
        .to.match(/ended with 1:/)
        .and.match(/PORT: another program .* PORT=\d+ npm start/s);
      expect(existsSync(join(fresh, 'database'))).to.equal(false);
    } finally {
      taken.close();
    }
    for (const move of [{}, { SALLYPORT_PLAYGROUND_PORT: String(await freePort()) }]) {
      server = await spawnServer({ dataDir, env: move });
      const playground = `http://localhost:${/Playground\s+http:\/\/localhost:(\d+)/.exec(server.output())?.[1]}`;
      const app = await RelyingParty.discover({
        issuer: server.url,
        clientId: 'playground',
        auth: oidc.None(),
        redirectUri: `${playground}/callback`,
      });
      const attempt = await app.request({ scope: 'openid account:read', resource: `${server.url}/api/v1` });
      const page = await new WebClient(server.url).open(attempt.url);
      expect(page.name, page.text).to.equal('login');
      await server.stop('SIGTERM');
      server = undefined;
    }
  });

  it('refuses in production what is only good for development, and says how to mend each', async () => {
    const start = (env: Record<string, string>): Promise<string> =>
      fail(spawnServer({ dataDir, env: { NODE_ENV: 'production', ...env } }));
    const bare = await start({});
    expect(bare).to.include('SALLYPORT_ISSUER').and.include('SALLYPORT_SECRETS').and.include('openssl rand');
    const secrets = { SALLYPORT_SECRETS: 'x'.repeat(40) };
    expect(await start({ ...secrets, SALLYPORT_ISSUER: 'http://id.example.com' })).to.include('https');
    expect(await start({ SALLYPORT_SECRETS: 'short', SALLYPORT_ISSUER: 'https://id.example.com' })).to.include(
      '32 characters',
    );
    expect(await start({ ...secrets, SALLYPORT_ISSUER: 'https://id.example.com', SALLYPORT_DEMO: 'true' })).to.include(
      'SALLYPORT_DEMO',
    );
    expect(await start({ ...secrets, SALLYPORT_ISSUER: 'https://id.example.com', SALLYPORT_TYPO: '1' })).to.include(
      'SALLYPORT_TYPO',
    );
    expect(await start({ ...secrets, SALLYPORT_ISSUER: 'https://id.example.com' })).to.include('SALLYPORT_SECRETS');
  });
});
