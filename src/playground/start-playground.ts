import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PlaygroundOptions } from './options.ts';

/** The running playground. Disposing it ends its connections. */
export interface Playground extends AsyncDisposable {
  /** `http://localhost:<port>`, whatever loopback address it listens on. */
  readonly origin: string;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Starts the playground. It may start before the issuer does: the issuer is asked when the first page needs it.
 * @throws RangeError for an address that is not this machine's own; what it shows is nobody else's business.
 */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  if (!loopback.has(options.host))
    throw new RangeError(`The playground listens on loopback only, not on ${options.host}.`);
  // Loaded here and not above: it needs openid-client, which production installs without.
  const { createPlayground } = await import('./create-playground.ts');
  const server = createServer();
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  server.on('request', createPlayground(options, origin).callback());
  return {
    origin,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
