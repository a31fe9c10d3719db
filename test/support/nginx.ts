import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LaneMissing, stopProcess } from './postgres.ts';

// Debian has it where only root's path leads.
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` };

/** The version of this machine's nginx. @throws LaneMissing when it has none, or one without auth_request. */
export function nginxVersion(): string {
  const { error, stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8', env });
  const version = /nginx\/([\d.]+)/.exec(stderr ?? '')?.[1];
  if (error || version === undefined) throw new LaneMissing('no nginx on the path');
  if (!stderr.includes('auth_request')) throw new LaneMissing(`nginx ${version} is built without auth_request`);
  return version;
}

async function untilListening(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end && child.exitCode === null; await delay(20)) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.end());
    });
    if (open) return;
  }
  throw new Error(`nginx did not start:\n${log()}`);
}

/**
 * Starts an nginx of the test's own in a temporary directory, in the foreground and apart from the system's. `http` is the
 * content of the http block, which has to listen on `port` of loopback.
 */
export async function startNginx(port: number, http: string): Promise<AsyncDisposable & { log(): string }> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'));
  mkdirSync(join(dir, 'temp'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`);
  const file = join(dir, 'nginx.conf');
  // Its workers would run as nobody when root starts it, who may not enter the directory.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const head = `${user} daemon off; pid nginx.pid; worker_processes 1; error_log error.log warn; events { worker_connections 64; }`;
  writeFileSync(file, `${head}\nhttp {\naccess_log off;\n${paths.join('\n')}\n${http}\n}\n`);
  const child = spawn('nginx', ['-p', dir, '-c', file, '-e', join(dir, 'error.log')], { env, stdio: 'ignore' });
  const log = (): string => {
    try {
      return readFileSync(join(dir, 'error.log'), 'utf8');
    } catch {
      return 'no log';
    }
  };
  const stop = async (): Promise<void> => {
    await stopProcess(child, 'SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await untilListening(port, child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { log, [Symbol.asyncDispose]: stop };
}
