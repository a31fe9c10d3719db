import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { HashLibrary } from './hashing.ts';
import type { LoadMessage, LoadOrder } from './load.ts';
import type { Measurement } from './measure.ts';
import type { Target, Usage } from './target.ts';

/** Measured load, with what it cost the server. */
export interface Slice extends Measurement {
  readonly cpuMicros: number;
  readonly rss: number;
}

/** A server under test, or anything else that runs in a process of its own. */
class Child implements AsyncDisposable {
  protected readonly process: ChildProcess;

  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, execArgv: readonly string[] = []) {
    this.process = fork(join(import.meta.dirname, script), args, {
      env: { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()), ...env },
      execArgv: [...process.execArgv, ...execArgv],
      // Logs go nowhere; faults are seen.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** The next message. @throws Error when the process ends instead. */
  async next<T>(): Promise<T> {
    const abort = new AbortController();
    const ended = once(this.process, 'exit', { signal: abort.signal }).then(([code]) => {
      throw new Error(`${this.process.spawnargs.at(-1)} ended with exit code ${code}`);
    });
    try {
      const [message] = (await Promise.race([once(this.process, 'message', { signal: abort.signal }), ended])) as [T];
      return message;
    } finally {
      abort.abort();
      await ended.catch(() => undefined);
    }
  }

  ask<T>(message: string | number | object): Promise<T> {
    const answer = this.next<T>();
    this.process.send(message);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    const late = setTimeout(() => this.process.kill('SIGKILL'), 15_000);
    this.process.disconnect();
    await gone;
    clearTimeout(late);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** A server with its target. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly name: string;
  readonly target: Target;
  usage(): Promise<Usage>;
}

interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
}

/** Starts `script` with a port and `args` after it; it sends its {@link Target} when it is ready. */
export async function startServer(
  name: string,
  script: string,
  { args = [], env = {}, execArgv = [] }: ServerOptions = {},
): Promise<ServerUnderTest> {
  const child = new Child(script, [String(await freePort()), ...args], env, execArgv);
  try {
    const target = await child.next<Target>();
    return {
      name,
      target,
      usage: () => child.ask<Usage>('usage'),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** Puts load on servers from a process of its own. */
export interface LoadGenerator extends AsyncDisposable {
  run(server: ServerUnderTest, order: Omit<LoadOrder, 'target'>): Promise<Slice>;
}

/** Starts the load generator. */
export async function startLoad(): Promise<LoadGenerator> {
  const child = new Child('load.ts', []);
  const checked = (message: LoadMessage): Measurement | 'warm' => {
    if (typeof message === 'object' && 'failed' in message) throw new Error(message.failed);
    return message;
  };
  return {
    async run(server, order) {
      checked(await child.ask<LoadMessage>({ ...order, target: server.target }));
      const before = await server.usage();
      const measured = checked(await child.ask<LoadMessage>('go')) as Measurement;
      const after = await server.usage();
      return { ...measured, cpuMicros: after.cpuMicros - before.cpuMicros, rss: after.rss };
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Bare hashing, for the ceiling of the sign-ins. */
export interface BareHashing extends AsyncDisposable {
  readonly name: string;
  run(seconds: number): Promise<Slice>;
}

/** Starts a process that only hashes. */
export async function startHashing(library: HashLibrary): Promise<BareHashing> {
  const child = new Child('argon2.ts', [library]);
  await child.next();
  return {
    name: `bare ${library}`,
    run: async (seconds) => ({ ...(await child.ask<Measurement & { cpuMicros: number }>(seconds)), rss: 0 }),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
