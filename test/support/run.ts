// `npm test` after the checks: starts the lanes, runs every test, says what ran.
// `node test/support/run.ts [files…]` runs some of them; SALLYPORT_TEST_REQUIRE=all makes a missing lane a failure.
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Lane, startLanes } from './lanes.ts';
import type { Outcome } from './run-mocha.ts';

const root = resolve(import.meta.dirname, '..', '..');

function testFiles(named: readonly string[]): string[] {
  if (named.length > 0) return named.map((name) => resolve(name));
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(root, 'test', name));
}

/** Runs the files in a process of their own, so that what they break does not keep the lanes from being stopped. */
function runMocha(files: readonly string[]): Promise<Record<Outcome, number>> {
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
  let ended = false;
  const child = fork(join(import.meta.dirname, 'run-mocha.ts'), files, { cwd: root });
  child.on('message', (message) => {
    if (message === 'ended') ended = true;
    else counts[message as Outcome] += 1;
  });
  const interrupt = (): void => void child.kill('SIGKILL');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  return new Promise((resolved) => {
    child.once('exit', (code, signal) => {
      if (!ended || (code !== 0 && counts.failed === 0)) {
        process.stderr.write(`The test process ended early or badly (${signal ?? `exit code ${code}`}).\n`);
        counts.failed += 1;
      }
      resolved(counts);
    });
  });
}

function summary(lanes: readonly Lane[], files: readonly string[]): string {
  const lines = lanes.map(({ name, ran, detail }) => `  ${ran ? 'ran    ' : 'skipped'}  ${name.padEnd(10)}  ${detail}`);
  const { length } = files;
  return ['', `Lanes of this run (${length} ${length === 1 ? 'file' : 'files'}):`, ...lines, ''].join('\n');
}

await using stack = new AsyncDisposableStack();
const files = testFiles(process.argv.slice(2));
const lanes = await startLanes(stack);
const counts = await runMocha(files);
await stack.disposeAsync();

process.stdout.write(
  `${summary(
    lanes,
    files.map((file) => relative(root, file)),
  )}\n`,
);
const missing = process.env.SALLYPORT_TEST_REQUIRE === 'all' ? lanes.filter(({ ran }) => !ran) : [];
for (const { name, detail } of missing) process.stdout.write(`SALLYPORT_TEST_REQUIRE=all, but no ${name}: ${detail}\n`);
if (counts.passed + counts.failed === 0) process.stdout.write('No test ran.\n');
const bad = counts.failed > 0 || missing.length > 0 || counts.passed === 0;
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = bad ? 1 : 0;
