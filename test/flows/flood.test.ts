import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { RelyingParty, signIn } from '../support/relying-party.ts';
import { fillDataDir } from '../support/scratch.ts';
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts';
import { type Page, WebClient } from '../support/web-client.ts';

interface Demo {
  readonly clients: readonly { readonly id: string; readonly secret?: string }[];
}

describe('a flood of sign-ins', function () {
  this.timeout(120_000);
  let dataDir: string;
  let server: ServerProcess;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-flood-'));
    fillDataDir(dataDir);
    // Hashes cost what they do in production; few may wait.
    server = await spawnServer({ dataDir, env: { SALLYPORT_ARGON2_QUEUE: '12' } });
  });
  after(async () => {
    await server?.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is answered or sent away for a moment, and services get their tokens meanwhile', async () => {
    const { clients } = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as Demo;
    const machine = clients.find(({ id }) => id === 'demo-machine');
    const app = await RelyingParty.discover({
      issuer: server.url,
      clientId: 'demo-spa',
      auth: oidc.None(),
      redirectUri: 'http://localhost:8080/callback',
    });
    const opened: { readonly web: WebClient; readonly page: Page }[] = [];
    for (let n = 0; n < 150; n += 1) {
      const web = new WebClient(server.url);
      opened.push({ web, page: await web.open((await app.request()).url) });
    }

    let waiting = opened.length;
    const flood = opened.map(async ({ web, page }, n) => {
      const answer = await signIn(web, page, { login: `nobody${n}`, password: 'not the right one' });
      waiting -= 1;
      return answer;
    });
    const tokens: { readonly status: number; readonly milliseconds: number }[] = [];
    while (waiting > 0) {
      const begun = performance.now();
      const answer = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { authorization: `Basic ${btoa(`${machine?.id}:${machine?.secret}`)}` },
      });
      await answer.arrayBuffer();
      tokens.push({ status: answer.status, milliseconds: performance.now() - begun });
    }

    const answers = await Promise.all(flood);
    const statuses = answers.map(({ status }) => status);
    expect([...new Set(statuses)].sort(), 'both kinds and no other').to.deep.equal([422, 503]);
    for (const { status, headers, name } of answers) {
      if (status === 503) expect(headers.get('retry-after')).to.match(/^[1-9]\d?$/);
      else expect(name).to.equal('login');
    }
    expect(tokens, 'tokens asked for during the flood').to.have.length.above(1);
    expect([...new Set(tokens.map(({ status }) => status))]).to.deep.equal([200]);
    // Far above what it takes; behind the hashes it would be most of the flood.
    expect(Math.max(...tokens.map(({ milliseconds }) => milliseconds))).to.be.below(5_000);
  });
});
