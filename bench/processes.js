import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
/** A server under test, or anything else that runs in a process of its own. */
class Child {
    process;
    constructor(script, args, env = {}) {
        this.process = fork(join(import.meta.dirname, script), args, {
            env: { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()), ...env },
            // Logs go nowhere; faults are seen.
            stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
    }
    /** The next message. @throws Error when the process ends instead. */
    async next() {
        const abort = new AbortController();
        const ended = once(this.process, 'exit', { signal: abort.signal }).then(([code]) => {
            throw new Error(`${this.process.spawnargs.at(-1)} ended with exit code ${code}`);
        });
        try {
            const [message] = (await Promise.race([once(this.process, 'message', { signal: abort.signal }), ended]));
            return message;
        }
        finally {
            abort.abort();
            await ended.catch(() => undefined);
        }
    }
    ask(message) {
        const answer = this.next();
        this.process.send(message);
        return answer;
    }
    async [Symbol.asyncDispose]() {
        if (this.process.exitCode !== null || this.process.signalCode !== null)
            return;
        const gone = once(this.process, 'exit');
        const late = setTimeout(() => this.process.kill('SIGKILL'), 5_000);
        this.process.disconnect();
        await gone;
        clearTimeout(late);
    }
}
async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address === null || typeof address === 'string')
        throw new Error('no port is free');
    return address.port;
}
/** Starts `script` with a port, and `args` after it; it sends its {@link Target} when it is ready. */
export async function startServer(name, script, args, env) {
    const child = new Child(script, [String(await freePort()), ...args], env);
    try {
        const target = await child.next();
        return { name, target, usage: () => child.ask('usage'), [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
    }
    catch (error) {
        await child[Symbol.asyncDispose]();
        throw error;
    }
}
/** Starts the load generator. */
export async function startLoad() {
    const child = new Child('load.ts', []);
    const checked = (message) => {
        if (typeof message === 'object' && 'failed' in message)
            throw new Error(message.failed);
        return message;
    };
    return {
        async run(server, order) {
            checked(await child.ask({ ...order, target: server.target }));
            const before = await server.usage();
            const measured = checked(await child.ask('go'));
            const after = await server.usage();
            return { ...measured, cpuMicros: after.cpuMicros - before.cpuMicros, rss: after.rss };
        },
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
}
/** Starts the process that only hashes. */
export async function startHashing() {
    const child = new Child('argon2.ts', []);
    await child.next();
    return {
        run: async (seconds) => ({ ...(await child.ask(seconds)), rss: 0 }),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
}
