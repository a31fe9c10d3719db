// `npm test` after the checks: starts the lanes, runs every test, says what ran.
// `node test/support/run.ts [files…]` runs some of them; SALLYPORT_TEST_REQUIRE=all makes a missing lane a failure.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { forkMocha, noResult, type Result } from './fork-mocha.ts';
import { type Lane, type Lanes, startLanes } from './lanes.ts';
import { makeDataDirTemplate, scratchRoot } from './scratch.ts';

const root = resolve(import.meta.dirname, '..', '..');

function testFiles(named: readonly string[]): string[] {
  if (named.length > 0) return named.map((name) => resolve(name));
  return (
    readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      // Backwards: pages and flows, which take longest, begin with what their processes have at the start.
      .sort((one, other) => (one < other ? 1 : -1))
      .map((name) => join(root, 'test', name))
  );
}

function summary(lanes: readonly Lane[], files: readonly string[]): string {
  const lines = lanes.map(({ name, ran, detail }) => `  ${ran ? 'ran    ' : 'skipped'}  ${name.padEnd(10)}  ${detail}`);
  const { length } = files;
  return ['', `Lanes of this run (${length} ${length === 1 ? 'file' : 'files'}):`, ...lines, ''].join('\n');
}

/** Where the time of the run went, so that nobody has to guess. */
function slowest({ times }: Result): string {
  const all = Object.entries(times).sort(([, a], [, b]) => b - a);
  const sum = all.reduce((seconds, [, milliseconds]) => seconds + milliseconds / 1000, 0);
  const lines = all.slice(0, 15).map(([file, ms]) => `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`);
  return all.length > 15 ? `Slowest of ${Math.round(sum)} s:\n${lines.join('\n')}\n\n` : '';
}

/**
 * Processes at once, each with stores of its own: one more than cores, because tests also wait for browsers, stores and
 * clocks. A Redis that was given is one for all, so it is used by one.
 */
const workers = process.env.REDIS_URL ? 1 : Math.min(3, availableParallelism() + 1);

/**
 * Files for one process: many at first, since starting it is not free and what its files share they make once, and ever
 * fewer, so that all processes have work until the end.
 */
function inBatches(files: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at < files.length; at += batches.at(-1)?.length ?? 0) {
    batches.push(files.slice(at, at + Math.max(6, Math.ceil((files.length - at) / (workers * 3)))));
  }
  return batches;
}

/** Runs batch after batch until none is left. What a batch wrote is shown when it is over. */
async function work(batches: string[][], env: Readonly<Record<string, string>>, total: Result): Promise<void> {
  for (let batch = batches.shift(); batch; batch = batches.shift()) {
    const result = await forkMocha(batch, { env, say: (text) => process.stdout.write(text) });
    for (const outcome of ['passed', 'failed', 'skipped'] as const) total[outcome] += result[outcome];
    total.failures.push(...result.failures);
    Object.assign(total.times, result.times);
  }
}

await using stack = new AsyncDisposableStack();
process.env.TMPDIR = scratchRoot();
// What one process has compiled the next one need not.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'sallyport-tests');
process.env.TEST_DATA_DIR_TEMPLATE = stack.use(await makeDataDirTemplate()).dir;
const files = testFiles(process.argv.slice(2));
const batches = inBatches(files);
const total = noResult();
// The first one unpacks what all of them use.
const all: Lanes[] = [await startLanes(stack)];
const others = Array.from({ length: Math.min(workers, batches.length) - 1 }, () => startLanes(stack));
all.push(...(await Promise.all(others)));
await Promise.all(all.map(({ env }) => work(batches, env, total)));
await stack.disposeAsync();
// A lane that one of them lacks was not run everywhere.
const lanes = (all[0]?.list ?? []).map(
  (lane, index) => all.map(({ list }) => list[index] ?? lane).find((one) => !one.ran) ?? lane,
);

process.stdout.write(
  `${summary(
    lanes,
    files.map((file) => relative(root, file)),
  )}\n`,
);
process.stdout.write(slowest(total));
for (const failure of total.failures) process.stdout.write(`FAILED ${failure}\n\n`);
const missing = process.env.SALLYPORT_TEST_REQUIRE === 'all' ? lanes.filter(({ ran }) => !ran) : [];
for (const { name, detail } of missing) process.stdout.write(`SALLYPORT_TEST_REQUIRE=all, but no ${name}: ${detail}\n`);
if (total.passed + total.failed === 0) process.stdout.write('No test ran.\n');
const bad = total.failed > 0 || missing.length > 0 || total.passed === 0;
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = bad ? 1 : 0;
