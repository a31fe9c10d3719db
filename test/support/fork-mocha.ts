import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './run-mocha.ts';

/** Runs the files in a process of their own, so that what they break does not keep the lanes from being stopped. */
export function forkMocha(
  files: readonly string[],
  stdio: 'inherit' | 'ignore' = 'inherit',
): Promise<Record<Outcome, number>> {
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
  let ended = false;
  const child = fork(join(import.meta.dirname, 'run-mocha.ts'), files, { stdio: [stdio, stdio, stdio, 'ipc'] });
  child.on('message', (message) => {
    if (message === 'ended') ended = true;
    else counts[message as Outcome] += 1;
  });
  const interrupt = (): void => void child.kill('SIGKILL');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return new Promise((resolved) => {
    child.once('exit', (code, signal) => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      if (!ended || (code !== 0 && counts.failed === 0)) {
        const how = signal ?? `exit code ${code}`;
        if (stdio === 'inherit') process.stderr.write(`The test process ended early or badly (${how}).\n`);
        counts.failed += 1;
      }
      resolved(counts);
    });
  });
}
