import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { bareHeaders } from './security-headers.ts';

const limits = {
  /** Longer than the idle time of common load balancers (60 s), so that they and not we end a connection. */
  keepAliveTimeout: 65_000,
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};

export interface DrainOptions {
  /** Seconds during which new requests are still taken but told to come by another connection next time. */
  readonly noticeSeconds?: number;
  /** Seconds that requests under way have to finish. */
  readonly graceSeconds: number;
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  readonly server: Server;
  /** Stops taking requests, lets those under way finish, and says how many had to be cut. */
  drain(options: DrainOptions): Promise<number>;
}

/** The requests under way. */
type Active = Map<ServerResponse, IncomingMessage>;

const refusals: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

function refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket, active: Active): void {
  const pending = [...active].filter(([, req]) => req.socket === socket);
  // With an answer to an earlier request under way, this one would be taken for it.
  if (
    pending.some(([res, req]) => req.complete || res.headersSent) ||
    !socket.writable ||
    error.code === 'ECONNRESET'
  ) {
    socket.destroy();
    return;
  }
  const status = refusals[error.code ?? ''] ?? 400;
  const headers = { ...bareHeaders, 'Content-Length': '0', Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`);
}

async function bind(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/**
 * Listens on `host:port` (0 takes any free port) with limits on how slowly and how much may be sent.
 * @throws the system's error when the port is taken.
 */
export async function listen(
  handler: RequestListener,
  options: { readonly port: number; readonly host: string },
): Promise<HttpServer> {
  const active: Active = new Map();
  let draining = false;

  // A missing Host is answered by the host guard, with the headers that every answer has.
  const server = createServer({ ...limits, requireHostHeader: false }, (req, res) => {
    active.set(res, req);
    res.once('close', () => active.delete(res));
    if (draining) res.setHeader('Connection', 'close');
    handler(req, res);
  });
  server.on('checkExpectation', (_req, res: ServerResponse) => {
    res.writeHead(417, { ...bareHeaders, 'Content-Length': '0', Connection: 'close' }).end();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseUnparsed(error, socket, active);
  });
  const port = await bind(server, options.port, options.host);

  return {
    port,
    server,
    async drain({ noticeSeconds = 0, graceSeconds }) {
      draining = true;
      for (const res of active.keys()) if (!res.headersSent) res.setHeader('Connection', 'close');
      if (noticeSeconds > 0) await pause(noticeSeconds * 1000);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, pause(graceSeconds * 1000, undefined, { ref: false })]);
      const cut = active.size;
      server.closeAllConnections();
      await closed;
      return cut;
    },
  };
}
