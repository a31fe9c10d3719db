// `npm test` after the checks: starts the lanes, runs every test, says what ran.
// `node test/support/run.ts [files…]` runs some of them; SALLYPORT_TEST_REQUIRE=all makes a missing lane a failure.
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { forkMocha } from './fork-mocha.ts';
import { type Lane, startLanes } from './lanes.ts';

const root = resolve(import.meta.dirname, '..', '..');

function testFiles(named: readonly string[]): string[] {
  if (named.length > 0) return named.map((name) => resolve(name));
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(root, 'test', name));
}

function summary(lanes: readonly Lane[], files: readonly string[]): string {
  const lines = lanes.map(({ name, ran, detail }) => `  ${ran ? 'ran    ' : 'skipped'}  ${name.padEnd(10)}  ${detail}`);
  const { length } = files;
  return ['', `Lanes of this run (${length} ${length === 1 ? 'file' : 'files'}):`, ...lines, ''].join('\n');
}

await using stack = new AsyncDisposableStack();
const files = testFiles(process.argv.slice(2));
const lanes = await startLanes(stack);
const counts = await forkMocha(files);
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
