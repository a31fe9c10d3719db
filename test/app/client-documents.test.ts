import { createServer } from 'node:net';
import { expect } from 'chai';
import { createDocuments } from '../../src/app/client-documents.ts';
import type { Config } from '../../src/config/load.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';

describe('what clients publish, in production', () => {
  it('is read from public addresses: a name of this machine gets no connection', async () => {
    let connections = 0;
    await using server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://localhost:${typeof address === 'object' && address?.port}/keys`;
    const parts = { clock: systemClock, logger: silentLogger() };
    const failure = async (production: boolean) => {
      const documents = createDocuments({ config: { production } as Config, ...parts });
      return documents(url, {}).catch((error: Error) => error.message);
    };
    expect(await failure(true)).to.equal('The address is not public.');
    expect(connections).to.equal(0);
    expect(await failure(false)).to.not.equal('The address is not public.');
    expect(connections).to.equal(1);
  });
});
