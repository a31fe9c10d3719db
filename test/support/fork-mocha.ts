import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './run-mocha.ts';

export type Counts = Record<Outcome, number>;

interface ForkOptions {
  /** Told what the tests write, in one piece when they are over. */
  readonly say?: (text: string) => void;
  /** Variables that lead to the lanes. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the files in a process of their own, so that what they break does not keep the lanes from being stopped. */
export function forkMocha(
  files: readonly string[],
  { say = () => undefined, env = {} }: ForkOptions = {},
): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  let ended = false;
  const child = fork(join(import.meta.dirname, 'run-mocha.ts'), files, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const written: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => written.push(chunk));
  child.on('message', (message) => {
    if (message === 'ended') ended = true;
    else counts[message as Outcome] += 1;
  });
  const interrupt = (): void => void child.kill('SIGKILL');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return new Promise((resolved) => {
    // After its streams have ended too.
    child.once('close', (code, signal) => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      if (!ended || (code !== 0 && counts.failed === 0)) {
        const how = signal ?? `exit code ${code}`;
        written.push(Buffer.from(`The test process ended early or badly (${how}).\n`));
        counts.failed += 1;
      }
      say(Buffer.concat(written).toString());
      resolved(counts);
    });
  });
}
