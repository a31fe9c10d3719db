import { AsyncLocalStorage } from 'node:async_hooks';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import type { AbstractConnector } from 'ioredis';

type Base = typeof AbstractConnector;

/** Where to connect, as ioredis puts it. */
interface Target {
  readonly host?: string;
  readonly port?: number;
  readonly family?: number;
  readonly path?: string;
  readonly tls?: ConnectionOptions;
  readonly disconnectTimeout?: number;
}

/** Milliseconds that a command waits for others to travel with when nobody waits for its answer. */
const patience = 4;

const unhurriedWork = new AsyncLocalStorage<true>();

/** What `work` sends to Redis waits a moment for other commands, to travel with them: nobody waits for its answer. */
export const unhurried = <T>(work: () => T): T => unhurriedWork.run(true, work);

/**
 * Holds writes back until the end of the turn, so that the commands of all requests of a turn leave in one packet. The
 * driver's own way to do so (auto-pipelining) costs more, and gives callers their neighbour's answers once a call fails.
 */
function sendByTurns(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  let held: 'no' | 'for a moment' | 'for this turn' = 'no';
  let moment: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearTimeout(moment);
    held = 'no';
    socket.uncork();
  };
  const hold = (hurried: boolean): void => {
    if (held === 'no') socket.cork();
    clearTimeout(moment);
    if (hurried) setImmediate(release);
    else moment = setTimeout(release, patience);
    held = hurried ? 'for this turn' : 'for a moment';
  };
  return Object.assign(socket, {
    write(...values: unknown[]): boolean {
      const hurried = unhurriedWork.getStore() === undefined;
      if (held === 'no' || (hurried && held === 'for a moment')) hold(hurried);
      return write(...values);
    },
  });
}

/** The driver's connector for one server, whose sockets send by turns. `Base` is ioredis' own, which is loaded late. */
export const createConnector = (Base: Base) =>
  class Connector extends Base {
    readonly #target: Target;

    constructor(target: unknown) {
      super((target as Target).disconnectTimeout ?? 2_000);
      this.#target = target as Target;
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      const { host, port, family, path, tls } = this.#target;
      const at = path === undefined ? { host, port: port ?? 6379, ...(family !== undefined && { family }) } : { path };
      const socket = sendByTurns(tls ? connectSecurely({ ...at, ...tls } as ConnectionOptions) : connect(at as never));
      socket.once('error', (error) => {
        this.firstError = error;
      });
      this.stream = socket;
      return socket;
    }
  };
