import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { RelyingParty } from '../support/relying-party.ts';
import { fillDataDir } from '../support/scratch.ts';
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts';
import { expectPage, readForm, WebClient } from '../support/web-client.ts';

interface Demo {
  readonly users: readonly { readonly username: string; readonly password: string }[];
}

/** Asks again and again until the answer is there. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; await delay(10)) {
    const found = await ask();
    if (found !== undefined) return found;
  }
  throw new Error(`never came: ${what}`);
}

describe('a stop by SIGTERM', function () {
  this.timeout(120_000);
  let dataDir: string;
  let server: ServerProcess | undefined;

  before(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-drain-'));
    fillDataDir(dataDir);
  });
  after(async () => {
    await server?.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('answers every sign-in that hashes or waits for it, says so at /readyz, and ends with 0', async () => {
    // One thread and a hash that takes a good part of a second, so that they are surely under way.
    const running = await spawnServer({
      dataDir,
      env: {
        SALLYPORT_ARGON2_WORKERS: '1',
        SALLYPORT_ARGON2_MEMORY_KIB: '65536',
        SALLYPORT_ARGON2_PASSES: '12',
      },
    });
    server = running;
    const { users } = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as Demo;
    const alice = users.find(({ username }) => username === 'alice');
    const app = await RelyingParty.discover({
      issuer: running.url,
      clientId: 'demo-spa',
      auth: oidc.None(),
      redirectUri: 'http://localhost:8080/callback',
    });

    /** A login page, and its form as it will be sent; the redirect after it would be another request. */
    const open = async (fields: { username: string; password: string }): Promise<() => Promise<Response>> => {
      const web = new WebClient(running.url);
      const page = expectPage(await web.open((await app.request()).url), 'login');
      const form = readForm(page.text, 'password');
      const body = new URLSearchParams({ ...form.fields, ...fields, action: 'continue' }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return () => web.fetch(new URL(form.action || page.url.href, page.url), { method: 'POST', body, headers });
    };
    const sends = [await open({ username: 'alice', password: alice?.password ?? '' })];
    for (let n = 0; n < 6; n += 1) sends.push(await open({ username: `nobody${n}`, password: 'not the right one' }));

    const answered: number[] = [];
    const answers = sends.map(async (send) => {
      const answer = await send();
      answered.push(answer.status);
      return { status: answer.status, text: await answer.text(), connection: answer.headers.get('connection') };
    });
    const all = Promise.all(answers);
    // One that is cut is a failure of this test, below, and of no other.
    all.catch(() => undefined);
    await until('one that hashes and all others waiting', async () => {
      const metrics = await (await fetch(`${running.managementUrl}/metrics`)).text();
      return metrics.includes(`\nsallyport_password_queue ${sends.length - 1}\n`) || undefined;
    });
    expect(answered, 'answered before the signal').to.deep.equal([]);

    const ended = running.stop('SIGTERM');
    const said = await until('503 at /readyz', async () => {
      const answer = await fetch(`${running.managementUrl}/readyz`);
      const text = await answer.text();
      return answer.status === 503 ? text : undefined;
    });
    expect(JSON.parse(said)).to.include({ status: 'draining' });
    expect(answered.length, 'answered before /readyz said so').to.be.below(sends.length);

    const each = await all;
    expect(each.map(({ status }) => status)).to.deep.equal([303, ...Array(sends.length - 1).fill(422)]);
    expect(each.map(({ connection }) => connection)).to.deep.equal(Array(sends.length).fill('close'));
    for (const { text } of each.slice(1)) expect(text).to.include('</html>');
    expect(await ended).to.equal(0);
    server = undefined;
    const gone = await fetch(`${running.managementUrl}/readyz`).catch((error: Error) => error);
    expect(gone).to.be.an('error');
  });
});
