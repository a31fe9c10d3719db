import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { assertPortsFree, withVariable } from '../../src/app/needed-ports.ts';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { loadConfig } from '../../src/config/load.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';

describe('ports that the server needs', () => {
  let taken: Server;
  let port: string;
  let dataDir: string;

  before(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    port = String((taken.address() as AddressInfo).port);
  });
  after(() => taken.close());
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'ports-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  const any = { PORT: '0', SALLYPORT_MANAGEMENT_PORT: '0', SALLYPORT_PLAYGROUND_PORT: '0' };
  const configOf = (env: Record<string, string>) =>
    loadConfig({ SALLYPORT_DATA_DIR: dataDir, SALLYPORT_SECRETS: 'x'.repeat(40), ...any, ...env });
  const refusalOf = async (env: Record<string, string>): Promise<string> =>
    assertPortsFree(configOf(env)).then(
      () => '',
      (error: Error) => error.message,
    );

  for (const variable of ['PORT', 'SALLYPORT_MANAGEMENT_PORT', 'SALLYPORT_PLAYGROUND_PORT', 'SALLYPORT_GRPC_PORT']) {
    it(`names ${variable} when it is taken, with one that is free`, async () => {
      const message = await refusalOf({ [variable]: port });
      expect(message).to.include(`  - ${variable}: another program listens on 127.0.0.1:${port}.`);
      const [, suggested] = new RegExp(`${variable}=(\\d+) npm start`).exec(message) ?? [];
      expect(await refusalOf({ [variable]: suggested ?? port })).to.equal('');
    });
  }

  it('names all of them at once', async () => {
    const message = await refusalOf({ PORT: port, SALLYPORT_MANAGEMENT_PORT: port });
    const [, one, other] = /PORT=(\d+) SALLYPORT_MANAGEMENT_PORT=(\d+) npm start/.exec(message) ?? [];
    expect(one).to.match(/\d/).and.not.equal(other);
  });

  it('names two variables with one port', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const free = String((probe.address() as AddressInfo).port);
    await new Promise((resolve) => probe.close(resolve));
    expect(await refusalOf({ PORT: free, SALLYPORT_MANAGEMENT_PORT: free })).to.include(
      `SALLYPORT_MANAGEMENT_PORT: ${free} is PORT already.`,
    );
  });

  it('names HOST when this machine has no such address', async () => {
    expect(await refusalOf({ HOST: '192.0.2.1' })).to.include('HOST: this machine cannot listen on 192.0.2.1');
  });

  it('does not mind the port of a playground that will not open', async () => {
    expect(await refusalOf({ SALLYPORT_PLAYGROUND_PORT: port, SALLYPORT_DEMO: 'false' })).to.equal('');
    const PostgreSQL = { DATABASE_URL: 'postgres://localhost/none' };
    expect(await refusalOf({ SALLYPORT_PLAYGROUND_PORT: port, ...PostgreSQL })).to.equal('');
  });

  it('leaves it to the data directory to refuse a second server on it', async () => {
    const socket = await startControlSocket({ dataDir, domains: {} as never, logger: silentLogger() });
    try {
      expect(await refusalOf({ PORT: port })).to.equal('');
    } finally {
      await socket[Symbol.asyncDispose]();
    }
  });

  it('makes no database', async () => {
    await refusalOf({ PORT: port });
    expect(existsSync(join(dataDir, 'database'))).to.equal(false);
  });

  it('gives the error of a port that was taken meanwhile its variable, and leaves others alone', async () => {
    const late = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: Number(port) });
    const named = await withVariable(late, configOf({ PORT: port }));
    expect(named).to.be.instanceOf(AppError).with.property('message').that.contains('PORT: another program');
    const other = new Error('no');
    expect(await withVariable(other, configOf({ PORT: port }))).to.equal(other);
  });
});
