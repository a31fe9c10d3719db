import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PlaygroundOptions } from './options.ts';

/** The running playground. Disposing it ends its connections. */
export interface Playground extends AsyncDisposable {
  /** `http://localhost:<port>`, whatever loopback address it listens on. */
  readonly origin: string;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

const missing: RequestListener = (_req, res) => {
  res.writeHead(503, { 'Content-Type': 'text/plain' }).end('The playground could not be loaded; the log says why.\n');
};

/** Builds it for the first request, and not sooner: it needs openid-client, which production installs without. */
function whenAsked(options: PlaygroundOptions, origin: string): () => Promise<RequestListener> {
  let built: Promise<RequestListener> | undefined;
  const build = async (): Promise<RequestListener> => {
    try {
      const { createPlayground } = await import('./create-playground.ts');
      return createPlayground(options, origin).callback();
    } catch (error) {
      options.logger.error({ err: error }, 'the playground could not be loaded');
      return missing;
    }
  };
  return () => {
    built ??= build();
    return built;
  };
}

/**
 * Starts the playground. It may start before the issuer does: the issuer is asked when the first page needs it.
 * @throws RangeError for an address that is not this machine's own; what it shows is nobody else's business.
 */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  if (!loopback.has(options.host))
    throw new RangeError(`The playground listens on loopback only, not on ${options.host}.`);
  const server = createServer();
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const answer = whenAsked(options, origin);
  server.on('request', (req, res) => void answer().then((handle) => handle(req, res)));
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
