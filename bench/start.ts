// `node bench/start.ts`: how long `npm start` takes until it says that it is ready. A first start, then more on the same
// data directory, after a clean stop and after kill -9 in turns. The time of the processors says more than the clock
// where other work runs: "main" is the thread that loads modules and runs the database.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');

interface Start {
  readonly after: string;
  readonly seconds: number;
  /** Seconds of processor time of the server, and of its main thread; only Linux tells. */
  readonly cpu?: number;
  readonly main?: number;
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' ? address?.port : 0);
}

async function ready(child: ChildProcess): Promise<void> {
  let text = '';
  const ended = once(child, 'exit').then(() => {
    throw new Error(`The server ended:\n${text}`);
  });
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        text += chunk;
        if (text.includes('Sallyport is ready')) resolve();
      });
    }
  });
  await Promise.race([said, ended]);
  ended.catch(() => undefined);
}

function processorTime(pid: number): Pick<Start, 'cpu' | 'main'> {
  if (process.platform !== 'linux') return {};
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const main = Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, main };
}

/** Starts the server as people do, and ends it with `signal` when it has been ready for a moment. */
async function start(env: NodeJS.ProcessEnv, dataDir: string, after: string, signal: NodeJS.Signals): Promise<Start> {
  const began = performance.now();
  const child = spawn('npm', ['start'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  await ready(child);
  const seconds = (performance.now() - began) / 1000;
  const pid = Number(readFileSync(join(dataDir, 'sallyport.pid'), 'utf8'));
  const times = processorTime(pid);
  await delay(2_000);
  process.kill(pid, signal);
  await ended;
  return { after, seconds, ...times };
}

const format = (seconds: number | undefined): string => (seconds === undefined ? '-' : seconds.toFixed(2)).padStart(8);
const print = ({ after, seconds, cpu, main }: Start): void => {
  const load = loadavg()[0]?.toFixed(1) ?? '';
  process.stdout.write(`${after.padEnd(18)}${format(seconds)}${format(cpu)}${format(main)}${load.padStart(8)}\n`);
};

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-start-'));
try {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    PORT: await freePort(),
    SALLYPORT_MANAGEMENT_PORT: await freePort(),
    SALLYPORT_PLAYGROUND_PORT: await freePort(),
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_DRAIN_SECONDS: '0',
  };
  process.stdout.write(
    `Seconds until ready${'wall'.padStart(7)}${'cpu'.padStart(8)}${'main'.padStart(8)}${'load'.padStart(8)}\n`,
  );
  print(await start(env, dataDir, 'first start', 'SIGTERM'));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    print(await start(env, dataDir, 'after a clean stop', 'SIGKILL'));
    print(await start(env, dataDir, 'after kill -9', 'SIGTERM'));
  }
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
