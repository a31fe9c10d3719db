import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { openDatabase } from '../../src/app/open-storage.ts';
import { loadConfig } from '../../src/config/load.ts';
import { AppError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const { TEST_DATABASE_URL } = process.env;

/** What somebody is told whose PostgreSQL is this. */
const said = async (url: string): Promise<string> => {
  const config = loadConfig({ DATABASE_URL: url, SALLYPORT_SECRETS: 'x'.repeat(40) });
  const error = await openDatabase(config, silentLogger(), () => undefined).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(AppError).with.property('code', 'unavailable');
  return (error as AppError).message;
};

describe('a PostgreSQL that cannot be used', () => {
  it('is named, with the variable, when nobody listens', async () => {
    const text = await said('postgres://alex:hunter2@127.0.0.1:1/sallyport');
    expect(text).to.match(/^PostgreSQL at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)\..*DATABASE_URL/);
    expect(text).not.to.include('hunter2');
  });

  it('is named when its name does not exist', async () => {
    expect(await said('postgres://db.invalid/sallyport')).to.match(/db\.invalid:5432 does not answer.*DATABASE_URL/);
  });

  it('is named when it says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const sockets = new Set<{ destroy(): void }>();
    silent.on('connection', (socket) => sockets.add(socket));
    try {
      expect(await said(`postgres://127.0.0.1:${(silent.address() as AddressInfo).port}/x`)).to.match(
        /does not answer.*DATABASE_URL/,
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  }).timeout(20_000);

  it('is named when it has no such database', async function () {
    if (!TEST_DATABASE_URL) this.skip();
    const url = new URL(TEST_DATABASE_URL);
    url.pathname = '/nowhere';
    expect(await said(url.href)).to.match(/has no database nowhere\. Make it \(createdb nowhere\).*DATABASE_URL/);
  });

  it('is named when it does not know the user', async function () {
    if (!TEST_DATABASE_URL) this.skip();
    const url = new URL(TEST_DATABASE_URL);
    url.username = 'stranger';
    expect(await said(url.href)).to.match(/does not let stranger in.*DATABASE_URL/);
  });
});
