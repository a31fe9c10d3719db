import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { fillDataDir } from '../support/scratch.ts';
import { createFixtureOn } from './fixture.ts';

const script = join(import.meta.dirname, 'deliverer.ts');

describe('logouts and kill -9', () => {
  let dataDir: string;
  before(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-logout-'));
    fillDataDir(dataDir);
  });
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  it('reach the app at least once, again under the same jti', async function () {
    this.timeout(120_000);
    const got: string[] = [];
    let onToken = (): boolean => true;
    const app = createServer((req, res) => {
      req.setEncoding('utf8').on('data', (body: string) => {
        got.push(new URLSearchParams(body).get('logout_token') ?? '');
        if (onToken()) res.writeHead(200).end();
      });
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(app.address() as AddressInfo).port}/logout`;

    const database = await openPglite(dataDir);
    await migrate(database);
    const parts = await createFixtureOn(database);
    const client = await parts.app(address);
    const ids: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) ids.push((await parts.signIn(await parts.account(), [client])).id);
    await database[Symbol.asyncDispose]();

    const run = (ahead: number, ...sessions: string[]) => {
      const child = spawn(process.execPath, [script, dataDir, String(ahead), ...sessions], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk;
      });
      return { child, ended: once(child, 'exit'), printed: () => out };
    };
    try {
      // Dies with the tokens in the hands of the app, before it can hear that they were taken.
      const first = run(0, ...ids);
      onToken = () => {
        if (got.length === 3) first.child.kill('SIGKILL');
        return false;
      };
      await first.ended;
      expect(first.printed()).to.equal('ended 3\n');
      const uncertain = got.splice(0).sort();
      expect(new Set(uncertain).size).to.equal(3);

      // After the lease they are sent again, and then no more.
      onToken = () => true;
      const second = run(60);
      await second.ended;
      expect(second.printed()).to.equal('tries 3\ntries 0\n');
      expect(got.sort()).to.deep.equal(uncertain);
    } finally {
      app.closeAllConnections();
      app.close();
    }
  });
});
