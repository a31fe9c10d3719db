import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
/** Why a lane cannot run, in words for the person who wanted it. */
export class LaneMissing extends Error {
}
/** A port that was free a moment ago. */
export async function freePort() {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (address === null || typeof address === 'string')
        throw new Error('No port is free.');
    return address.port;
}
const isExecutable = (path) => {
    try {
        accessSync(path, constants.X_OK);
        return true;
    }
    catch {
        return false;
    }
};
/** Debian keeps the server's programs off the path, one directory per major version. */
function programs() {
    const root = '/usr/lib/postgresql';
    let packaged = [];
    try {
        packaged = readdirSync(root).sort((one, other) => Number(other) - Number(one));
    }
    catch {
        // Not a Debian, or no PostgreSQL on it.
    }
    const places = [
        ...packaged.map((version) => join(root, version, 'bin')),
        ...(process.env.PATH ?? '').split(delimiter).filter((dir) => dir !== ''),
    ];
    return places.find((dir) => isExecutable(join(dir, 'initdb')) && isExecutable(join(dir, 'postgres')));
}
/** PostgreSQL refuses to run as root; there it runs as the user its package made. */
function identity() {
    if (process.getuid?.() !== 0)
        return {};
    const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
    try {
        return { uid: id('-u'), gid: id('-g') };
    }
    catch {
        throw new LaneMissing('PostgreSQL does not run as root, and this machine has no user `postgres`');
    }
}
/** Ends a process, first kindly; resolves when it is gone. */
export async function stopProcess(child, signal = 'SIGTERM') {
    if (child.exitCode !== null || child.signalCode !== null)
        return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(late);
}
async function untilReady(url, child, log) {
    for (const end = Date.now() + 20_000; Date.now() < end; await delay(50)) {
        if (child.exitCode !== null)
            break;
        const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
        client.on('error', () => undefined);
        try {
            await client.connect();
            return;
        }
        catch {
            // Not yet.
        }
        finally {
            await client.end().catch(() => undefined);
        }
    }
    throw new Error(`PostgreSQL did not start:\n${log()}`);
}
/**
 * Starts a PostgreSQL of its own on a free port of loopback, in a temporary directory that is gone afterwards.
 * @throws LaneMissing when this machine has none.
 */
export async function startPostgres() {
    const bin = programs();
    if (bin === undefined)
        throw new LaneMissing('no DATABASE_URL, and no PostgreSQL on the path');
    const user = identity();
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-postgres-'));
    if (user.uid !== undefined)
        chownSync(dir, user.uid, user.gid ?? user.uid);
    const data = join(dir, 'data');
    const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...user, cwd: dir, encoding: 'utf8' });
    if (made.status !== 0)
        throw new Error(`initdb failed:\n${made.stderr}`);
    const port = await freePort();
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${dir}`, 'fsync=off', 'max_connections=200'];
    const child = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])], { ...user, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (text) => {
        log = (log + text.toString()).slice(-4_000);
    });
    const stop = async () => {
        await stopProcess(child, 'SIGINT');
        rmSync(dir, { recursive: true, force: true });
    };
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    try {
        await untilReady(url, child, () => log);
    }
    catch (error) {
        await stop();
        throw error;
    }
    return { url, process: child, [Symbol.asyncDispose]: stop };
}
/** Makes an empty database on the server of `url` and drops it when disposed. */
export async function createTestDatabase(url) {
    const name = `sallyport_test_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 10)}`;
    const run = async (statement) => {
        const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
        client.on('error', () => undefined);
        await client.connect();
        try {
            await client.query(statement);
        }
        finally {
            await client.end();
        }
    };
    await run(`create database ${name}`);
    const own = new URL(url);
    own.pathname = `/${name}`;
    return { url: own.href, [Symbol.asyncDispose]: () => run(`drop database ${name} with (force)`) };
}
