// Runs the test files that it is given and reports each outcome to the process that forked it.
import { relative } from 'node:path';
import { inspect } from 'node:util';
import Mocha from 'mocha';
import settings from '../../config/mocharc.json' with { type: 'json' };
import { mochaHooks } from './hooks.ts';

export type Outcome = 'passed' | 'failed' | 'skipped';

/** What the process of the tests tells the one that started it. */
export type Message =
  | { readonly outcome: Outcome }
  | { readonly failure: string }
  | { readonly file: string; readonly milliseconds: number }
  | 'ended';

const tell = (message: Message): void => {
  process.send?.(message);
};

/** Milliseconds that the tests of each file took, hooks and what they wait for included. */
const times = new Map<string, number>();
let running: string | undefined;
let since = performance.now();

/** Books the time until now on the file whose tests ran, and goes on with the next. */
function turnTo(next: string | undefined): void {
  const now = performance.now();
  if (running !== undefined) times.set(running, (times.get(running) ?? 0) + now - since);
  running = next;
  since = now;
}

const mocha = new Mocha({ timeout: settings.timeout, slow: settings.slow, reporter: 'spec', rootHooks: mochaHooks });
for (const file of process.argv.slice(2)) mocha.addFile(file);
await mocha.loadFilesAsync();
mocha
  .run(() => {
    turnTo(undefined);
    for (const [file, milliseconds] of times) tell({ file: relative(process.cwd(), file), milliseconds });
    tell('ended');
    process.disconnect?.();
    setTimeout(() => {
      process.stderr.write(`The tests are over but left something running: ${process.getActiveResourcesInfo()}\n`);
      process.exit(1);
    }, 10_000).unref();
  })
  .on('pass', () => tell({ outcome: 'passed' }))
  .on('fail', (test, error) => {
    tell({ outcome: 'failed' });
    // Unlike a stack this also tells what caused the error: 503s keep to themselves what failed.
    const text = inspect(error, { depth: 4 });
    tell({ failure: `${test.file ? `${relative(process.cwd(), test.file)}: ` : ''}${test.fullTitle()}\n${text}` });
  })
  .on('pending', () => tell({ outcome: 'skipped' }))
  .on('suite', ({ file }) => {
    if (file !== undefined && file !== running) turnTo(file);
  });
