var __addDisposableResource = (this && this.__addDisposableResource) || function (env, value, async) {
    if (value !== null && value !== void 0) {
        if (typeof value !== "object" && typeof value !== "function") throw new TypeError("Object expected.");
        var dispose, inner;
        if (async) {
            if (!Symbol.asyncDispose) throw new TypeError("Symbol.asyncDispose is not defined.");
            dispose = value[Symbol.asyncDispose];
        }
        if (dispose === void 0) {
            if (!Symbol.dispose) throw new TypeError("Symbol.dispose is not defined.");
            dispose = value[Symbol.dispose];
            if (async) inner = dispose;
        }
        if (typeof dispose !== "function") throw new TypeError("Object not disposable.");
        if (inner) dispose = function() { try { inner.call(this); } catch (e) { return Promise.reject(e); } };
        env.stack.push({ value: value, dispose: dispose, async: async });
    }
    else if (async) {
        env.stack.push({ async: true });
    }
    return value;
};
var __disposeResources = (this && this.__disposeResources) || (function (SuppressedError) {
    return function (env) {
        function fail(e) {
            env.error = env.hasError ? new SuppressedError(e, env.error, "An error was suppressed during disposal.") : e;
            env.hasError = true;
        }
        var r, s = 0;
        function next() {
            while (r = env.stack.pop()) {
                try {
                    if (!r.async && s === 1) return s = 0, env.stack.push(r), Promise.resolve().then(next);
                    if (r.dispose) {
                        var result = r.dispose.call(r.value);
                        if (r.async) return s |= 2, Promise.resolve(result).then(next, function(e) { fail(e); return next(); });
                    }
                    else s |= 1;
                }
                catch (e) {
                    fail(e);
                }
            }
            if (s === 1) return env.hasError ? Promise.reject(env.error) : Promise.resolve();
            if (env.hasError) throw env.error;
        }
        return next();
    };
})(typeof SuppressedError === "function" ? SuppressedError : function (error, suppressed, message) {
    var e = new Error(message);
    return e.name = "SuppressedError", e.error = error, e.suppressed = suppressed, e;
});
// `npm test` after the checks: starts the lanes, runs every test, says what ran.
// `node test/support/run.ts [files…]` runs some of them; SALLYPORT_TEST_REQUIRE=all makes a missing lane a failure.
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { startLanes } from './lanes.js';
const root = resolve(import.meta.dirname, '..', '..');
function testFiles(named) {
    if (named.length > 0)
        return named.map((name) => resolve(name));
    return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.test.ts'))
        .sort()
        .map((name) => join(root, 'test', name));
}
/** Runs the files in a process of their own, so that what they break does not keep the lanes from being stopped. */
function runMocha(files) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    let ended = false;
    const child = fork(join(import.meta.dirname, 'run-mocha.ts'), files, { cwd: root });
    child.on('message', (message) => {
        if (message === 'ended')
            ended = true;
        else
            counts[message] += 1;
    });
    const interrupt = () => void child.kill('SIGKILL');
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
function summary(lanes, files) {
    const lines = lanes.map(({ name, ran, detail }) => `  ${ran ? 'ran    ' : 'skipped'}  ${name.padEnd(10)}  ${detail}`);
    const { length } = files;
    return ['', `Lanes of this run (${length} ${length === 1 ? 'file' : 'files'}):`, ...lines, ''].join('\n');
}
var stack, files, lanes, counts, missing, bad;
const env_1 = { stack: [], error: void 0, hasError: false };
try {
    stack = __addDisposableResource(env_1, new AsyncDisposableStack(), true);
    files = testFiles(process.argv.slice(2));
    lanes = await startLanes(stack);
    counts = await runMocha(files);
    await stack.disposeAsync();
    process.stdout.write(`${summary(lanes, files.map((file) => relative(root, file)))}\n`);
    missing = process.env.SALLYPORT_TEST_REQUIRE === 'all' ? lanes.filter(({ ran }) => !ran) : [];
    for (const { name, detail } of missing)
        process.stdout.write(`SALLYPORT_TEST_REQUIRE=all, but no ${name}: ${detail}\n`);
    if (counts.passed + counts.failed === 0)
        process.stdout.write('No test ran.\n');
    bad = counts.failed > 0 || missing.length > 0 || counts.passed === 0;
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    process.exitCode = bad ? 1 : 0;
}
catch (e_1) {
    env_1.error = e_1;
    env_1.hasError = true;
}
finally {
    const result_1 = __disposeResources(env_1);
    if (result_1)
        await result_1;
}
