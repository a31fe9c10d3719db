// `npm test` after the checks: starts the lanes, runs every test, says what ran.
// `node test/support/run.ts [files…]` runs some of them; SALLYPORT_TEST_REQUIRE=all makes a missing lane a failure.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { type Counts, forkMocha } from './fork-mocha.ts';
import { type Lane, type Lanes, startLanes } from './lanes.ts';

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

/** Files of one process: few enough that both cores have work until the end, many enough that starting it is cheap. */
const batchSize = 8;

/** Processes at once, each with stores of its own; a Redis that was given is one for all, so it is used by one. */
const workers = process.env.REDIS_URL ? 1 : Math.min(2, availableParallelism());

/** Runs batch after batch until none is left. What a batch wrote is shown when it is over. */
async function work(batches: string[][], env: Readonly<Record<string, string>>, total: Counts): Promise<void> {
  for (let batch = batches.shift(); batch; batch = batches.shift()) {
    const counts = await forkMocha(batch, { env, say: (text) => process.stdout.write(text) });
    for (const outcome of ['passed', 'failed', 'skipped'] as const) total[outcome] += counts[outcome];
  }
}

await using stack = new AsyncDisposableStack();
const files = testFiles(process.argv.slice(2));
const batches: string[][] = [];
for (let at = 0; at < files.length; at += batchSize) batches.push(files.slice(at, at + batchSize));
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const all: Lanes[] = [];
for (let worker = 0; worker < Math.min(workers, batches.length); worker += 1) all.push(await startLanes(stack));
await Promise.all(all.map(({ env }) => work(batches, env, counts)));
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
const missing = process.env.SALLYPORT_TEST_REQUIRE === 'all' ? lanes.filter(({ ran }) => !ran) : [];
for (const { name, detail } of missing) process.stdout.write(`SALLYPORT_TEST_REQUIRE=all, but no ${name}: ${detail}\n`);
if (counts.passed + counts.failed === 0) process.stdout.write('No test ran.\n');
const bad = counts.failed > 0 || missing.length > 0 || counts.passed === 0;
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = bad ? 1 : 0;
