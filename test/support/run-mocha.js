// Runs the test files that it is given and reports each outcome to the process that forked it.
import Mocha from 'mocha';
import settings from '../../config/mocharc.json' with { type: 'json' };
import { mochaHooks } from './hooks.js';
const tell = (message) => {
    process.send?.(message);
};
const mocha = new Mocha({ timeout: settings.timeout, slow: settings.slow, reporter: 'spec', rootHooks: mochaHooks });
for (const file of process.argv.slice(2))
    mocha.addFile(file);
await mocha.loadFilesAsync();
mocha
    .run(() => {
    tell('ended');
    process.disconnect?.();
    setTimeout(() => {
        process.stderr.write(`The tests are over but left something running: ${process.getActiveResourcesInfo()}\n`);
        process.exit(1);
    }, 10_000).unref();
})
    .on('pass', () => tell('passed'))
    .on('fail', () => tell('failed'))
    .on('pending', () => tell('skipped'));
