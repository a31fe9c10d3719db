import { createServer, type Socket } from 'node:net';
import type { Logger } from '../shared/logger.ts';

export interface ConnectionLimits {
  /** Connections that are open at once, from one origin and in all. */
  readonly mostOfOne: number;
  readonly most: number;
  /** What is counted together for an address. */
  readonly originOf: (address: string) => string;
  readonly onRefused: () => void;
}

interface Needs extends ConnectionLimits {
  readonly port: number;
  readonly host: string;
  /** Takes a connection over. */
  readonly accept: (socket: Socket) => void;
  readonly logger: Logger;
}

/** An open port. */
export interface Connections {
  readonly port: number;
  /** Takes no more, and resolves when those that are open are closed. */
  stop(): Promise<void>;
  /** Ends all that are open. */
  cut(): void;
}

/** Listens. A connection too many is closed before a byte of it is read. @throws the system's error when the port is taken. */
export async function listenForConnections(needs: Needs): Promise<Connections> {
  const { mostOfOne, most, originOf, onRefused, accept, logger } = needs;
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  const server = createServer({ noDelay: true }, (socket) => {
    const origin = originOf(socket.remoteAddress ?? '');
    const count = counts.get(origin) ?? 0;
    if (sockets.size >= most || count >= mostOfOne) {
      onRefused();
      socket.destroy();
      return;
    }
    sockets.add(socket);
    counts.set(origin, count + 1);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (counts.get(origin) ?? 1) - 1;
      if (left > 0) counts.set(origin, left);
      else counts.delete(origin);
    });
    accept(socket);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: needs.port, host: needs.host }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : needs.port);
    });
  });
  // Too many open files, for one: the next connection may find one.
  server.on('error', (error) => logger.error({ err: error }, 'the gRPC port could not take a connection'));
  return {
    port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
