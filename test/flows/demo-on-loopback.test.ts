import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { spawnServer } from '../support/spawn-server.ts';
import { freePort } from '../support/start-app.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const reached = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** What somebody in the network gets who says that they want the issuer. Without a network, over loopback. */
const askFromOutside = (port: number, path: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const options = { host: reached ?? '127.0.0.1', port, path, headers: { Host: `localhost:${port}` } };
    const sent = request(options, async (answer) => {
      let text = '';
      for await (const part of answer.setEncoding('utf8')) text += part;
      resolve({ status: answer.statusCode ?? 0, text });
    });
    sent.once('error', reject).end();
  });

/** Starts what is not to start; what it said, and its exit code. */
async function refusedStart(env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const PORT = String(await freePort());
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
    env: { PATH: process.env.PATH, PORT, SALLYPORT_MANAGEMENT_PORT: '0', ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { code: status, said: stdout + stderr };
}

describe('demo data is for this machine only', function () {
  this.timeout(120_000);
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-open-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('with a HOST that others can reach there is none, and no mail viewer, under a loopback issuer too', async () => {
    const port = await freePort();
    const server = await spawnServer({ dataDir, port, env: { HOST: '0.0.0.0' } });
    try {
      expect(server.output())
        .to.include('HOST is 0.0.0.0')
        .and.not.match(/alice|Playground|\/dev\/mail\n/);
      expect(existsSync(join(dataDir, 'demo.json'))).to.equal(false);
      expect((await askFromOutside(port, '/.well-known/openid-configuration')).status).to.equal(200);
      expect((await askFromOutside(port, '/dev/mail')).status).to.equal(404);
      const client = 'client_id=demo-spa&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback';
      const refused = await askFromOutside(port, `/oauth2/authorize?response_type=code&scope=openid&${client}`);
      expect(refused.status).to.equal(400);
      expect((await askFromOutside(port, '/')).text).not.to.include('/dev/mail');
    } finally {
      await server.stop('SIGTERM');
    }
  });

  it('who asks for it there is refused with exit code 2, and told how to mend it', async () => {
    const { code, said } = await refusedStart({ SALLYPORT_DATA_DIR: dataDir, HOST: '0.0.0.0', SALLYPORT_DEMO: 'true' });
    expect(code, said).to.equal(2);
    expect(said).to.include('SALLYPORT_DEMO').and.include('HOST is 0.0.0.0').and.include('leave one of them out');
  });

  it('a database that has it is not opened to others', async () => {
    const server = await spawnServer({ dataDir });
    expect(server.output()).to.include('alice').and.include('/dev/mail');
    await server.stop('SIGTERM');
    const { code, said } = await refusedStart({ SALLYPORT_DATA_DIR: dataDir, HOST: '0.0.0.0' });
    expect(code, said).to.equal(1);
    expect(said).to.include('demo data').and.include('SALLYPORT_DATA_DIR').and.include('HOST');
  });

  it('any wrong configuration ends the start with exit code 2', async () => {
    const { code, said } = await refusedStart({ SALLYPORT_DATA_DIR: dataDir, SALLYPORT_LOG_LEVEL: 'loud' });
    expect(code, said).to.equal(2);
    expect(said).to.include('SALLYPORT_LOG_LEVEL');
  });
});
