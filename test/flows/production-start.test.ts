import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cli, environment } from '../cli/command-line.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { freePort } from '../support/start-app.ts';

const { TEST_REDIS_URL } = process.env;

describe('a start in production', function () {
  this.timeout(60_000);
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-production-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const start = async (env: Record<string, string>) => {
    const port = await freePort();
    const production = { NODE_ENV: 'production', SALLYPORT_ISSUER: `http://localhost:${port}`, HOST: '127.0.0.1' };
    const server = await spawnServer({ dataDir, port, env: { ...environment(dataDir), ...production, ...env } });
    return { server, port, env: { ...environment(dataDir), ...production } };
  };

  it('warns of the embedded database and of a Redis that is away, and says where it listens and who is missing', async () => {
    const { server, port, env } = await start({ REDIS_URL: 'redis://127.0.0.1:1' });
    try {
      expect(server.output())
        .to.match(/Listens on +127\.0\.0\.1:/)
        .and.include(`127.0.0.1:${port}\n`)
        .and.include('Warning: DATABASE_URL is not set')
        .and.include('Redis (does not answer)')
        .and.include('Warning: Redis does not answer at REDIS_URL')
        .and.include('no administrator yet: `npx sallyport users create --email you@example.com --admin`');
      const made = await cli(env, ['users', 'create', '--email', 'you@example.com', '--admin', '--json']);
      expect(made.json().roles).to.deep.equal(['admin']);
    } finally {
      await server.stop('SIGTERM');
    }
    // Programs that collect logs are told as well.
    expect(server.output()).to.match(/"level":40,[^\n]*DATABASE_URL is not set/);
  });

  it('says nothing of a Redis that answers, nor of an administrator who is there', async function () {
    if (!TEST_REDIS_URL) this.skip();
    const { env } = await start({}).then(async ({ server, ...rest }) => {
      await server.stop('SIGTERM');
      return rest;
    });
    await cli(env, ['users', 'create', '--email', 'you@example.com', '--admin']);
    const { server } = await start({ REDIS_URL: TEST_REDIS_URL });
    expect(server.output())
      .to.match(/, Redis\n/)
      .and.not.include('administrator')
      .and.not.include('Redis does not answer');
    await server.stop('SIGTERM');
  });
});
