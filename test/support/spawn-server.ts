import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './start-app.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly managementUrl: string;
  /** Everything that it wrote so far. */
  output(): string;
  /** Sends the signal and resolves to the exit code, or the signal's name. */
  stop(signal: NodeJS.Signals): Promise<number | string>;
}

export interface SpawnOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly env?: Record<string, string>;
}

/** Starts `src/main.ts` as operators do and resolves when it says that it is ready. @throws Error with its output. */
export async function spawnServer({ dataDir, port, env = {} }: SpawnOptions): Promise<ServerProcess> {
  const own = port ?? (await freePort());
  const management = await freePort();
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      PORT: String(own),
      SALLYPORT_DATA_DIR: dataDir,
      SALLYPORT_MANAGEMENT_PORT: String(management),
      SALLYPORT_PLAYGROUND_PORT: String(await freePort()),
      SALLYPORT_DRAIN_SECONDS: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = once(child, 'exit');
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        text += chunk;
        if (text.includes('Sallyport is ready')) resolve();
      });
    }
  });
  await Promise.race([
    ready,
    ended.then(([code]) => {
      throw new Error(`the server ended with ${code}:\n${text}`);
    }),
  ]);
  return {
    child,
    url: `http://localhost:${own}`,
    managementUrl: `http://127.0.0.1:${management}`,
    output: () => text,
    async stop(signal) {
      child.kill(signal);
      const [code, name] = (await ended) as [number | null, string | null];
      return code ?? name ?? '';
    },
  };
}
