import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Message, Outcome } from './run-mocha.ts';

/** What came of some test files. */
export interface Result extends Record<Outcome, number> {
  /** Each failed test with its file, name and stack. */
  readonly failures: string[];
  /** Milliseconds for each file. */
  readonly times: Record<string, number>;
}

interface ForkOptions {
  /** Told what the tests write, in one piece when they are over. */
  readonly say?: (text: string) => void;
  /** Variables that lead to the lanes. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A result of nothing yet. */
export const noResult = (): Result => ({ passed: 0, failed: 0, skipped: 0, failures: [], times: {} });

/** Runs the files in a process of their own, so that what they break does not keep the lanes from being stopped. */
export function forkMocha(
  files: readonly string[],
  { say = () => undefined, env = {} }: ForkOptions = {},
): Promise<Result> {
  const result = noResult();
  let ended = false;
  const child = fork(join(import.meta.dirname, 'run-mocha.ts'), files, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const written: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => written.push(chunk));
  child.on('message', (message: Message) => {
    if (message === 'ended') ended = true;
    else if ('outcome' in message) result[message.outcome] += 1;
    else if ('failure' in message) result.failures.push(message.failure);
    else result.times[message.file] = message.milliseconds;
  });
  const interrupt = (): void => void child.kill('SIGKILL');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return new Promise((resolved) => {
    // After its streams have ended too.
    child.once('close', (code, signal) => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      if (!ended || (code !== 0 && result.failed === 0)) {
        const text = `The test process of ${files.join(' ')} ended early or badly (${signal ?? `exit code ${code}`}).`;
        result.failed += 1;
        result.failures.push(`${text}\n${Buffer.concat(written).toString().slice(-2000)}`);
        written.push(Buffer.from(`${text}\n`));
      }
      say(Buffer.concat(written).toString());
      resolved(result);
    });
  });
}
