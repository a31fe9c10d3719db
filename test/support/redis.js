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
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, LaneMissing, stopProcess } from './postgres.js';
const hasProgram = () => spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
async function untilReady(port, child, log) {
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) {
        if (child.exitCode !== null)
            break;
        const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
        client.on('error', () => undefined);
        try {
            await client.connect();
            await client.ping();
            return;
        }
        catch {
            // Not yet.
        }
        finally {
            client.disconnect();
        }
    }
    throw new Error(`Redis did not start:\n${log()}`);
}
/**
 * Starts a Redis on a free port of loopback (or on `port`), without persistence, in a temporary directory.
 * @throws LaneMissing when this machine has none.
 */
export async function startRedis(options = {}) {
    if (!hasProgram())
        throw new LaneMissing('no REDIS_URL, and no redis-server on the path');
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-redis-'));
    const port = options.port ?? (await freePort());
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', [...settings, ...(options.arguments ?? [])], {
        cwd: dir,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    const keep = (text) => {
        log = (log + text.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = async () => {
        child.kill('SIGCONT');
        await stopProcess(child, 'SIGKILL');
        rmSync(dir, { recursive: true, force: true });
    };
    try {
        await untilReady(port, child, () => log);
    }
    catch (error) {
        await stop();
        throw error;
    }
    return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid ?? 0, stop, [Symbol.asyncDispose]: stop };
}
/**
 * Starts a Redis Cluster of three masters without replicas. The url names the first.
 * @throws LaneMissing when this machine has no Redis that can form one.
 */
export async function startRedisCluster() {
    const env_1 = { stack: [], error: void 0, hasError: false };
    try {
        if (!hasProgram())
            throw new LaneMissing('no redis-server on the path');
        const stack = __addDisposableResource(env_1, new AsyncDisposableStack(), true);
        const nodes = [];
        for (let index = 0; index < 3; index += 1) {
            // The bus listens on its own port; the default, 10000 above, may not exist.
            const bus = await freePort();
            const extra = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000'];
            nodes.push(stack.use(await startRedis({ arguments: extra })));
        }
        const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
        const made = spawnSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { encoding: 'utf8' });
        if (made.status !== 0)
            throw new LaneMissing(`redis-cli made no cluster: ${made.stdout}${made.stderr}`.slice(0, 400));
        const owned = stack.move();
        return { url: `${nodes[0]?.url}?cluster=true`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
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
}
