import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { callServer } from '../../src/cli/control-client.js';
import { controlPath } from '../../src/cli/control-path.js';
import { startControlSocket } from '../../src/cli/control-socket.js';
import { silentLogger } from '../../src/shared/logger.js';
import { startFakeServer } from './command-line.js';
const ping = { command: 'ping', input: {} };
describe('control socket', () => {
    let server;
    let path;
    before(async () => {
        server = await startFakeServer();
        path = controlPath(server.dataDir);
    });
    after(() => server[Symbol.asyncDispose]());
    const send = async (line) => {
        const socket = createConnection(path);
        socket.on('error', () => undefined).write(line);
        return text(socket).catch(() => '');
    };
    it('is open to its owner only', () => {
        expect(statSync(path).mode & 0o777).to.equal(0o600);
        expect(statSync(dirname(path)).mode & 0o077).to.equal(0);
    });
    it('answers what it does not understand, and goes on', async () => {
        for (const line of [
            '{',
            '[]',
            'null',
            '""',
            '{"command":7}',
            '{"command":"serve"}',
            '{"command":"__proto__"}',
            '{"command":"users create","input":null}',
        ]) {
            const answer = JSON.parse(await send(`${line}\n`));
            expect(answer, line).to.have.property('ok', false);
            expect(answer.error.code, line).to.equal('invalid_input');
        }
        expect(await callServer(server.dataDir, ping)).to.deep.equal({ ok: true, result: { pid: process.pid } });
    });
    it('hangs up on a request without end', async () => {
        expect(await send('x'.repeat(3 * 1024 * 1024))).to.equal('');
        expect(await callServer(server.dataDir, ping)).to.have.property('ok', true);
    });
    it('never tells what broke inside', async () => {
        const dir = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
        const broken = { apis: { list: () => Promise.reject(new Error('password of the database')) } };
        const socket = await startControlSocket({ dataDir: dir, domains: broken, logger: silentLogger() });
        const answer = await callServer(dir, { command: 'apis list', input: {} });
        await socket[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true });
        expect(answer).to.have.nested.property('error.code', 'internal');
        expect(JSON.stringify(answer)).not.to.contain('password');
    });
    it('is not there any more after the server, which first answers what it was asked', async () => {
        const dir = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
        let release = () => undefined;
        const slow = {
            apis: {
                list: () => new Promise((resolve) => {
                    release = resolve;
                }),
            },
        };
        const socket = await startControlSocket({ dataDir: dir, domains: slow, logger: silentLogger() });
        const answer = callServer(dir, { command: 'apis list', input: {} });
        await callServer(dir, ping);
        const closed = socket[Symbol.asyncDispose]();
        release([]);
        expect(await answer).to.deep.equal({ ok: true, result: [] });
        await closed;
        expect(await callServer(dir, ping)).to.equal(undefined);
        rmSync(dir, { recursive: true });
    });
    it('replaces the socket of a server that was killed', async () => {
        const dir = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
        const { spawnSync } = await import('node:child_process');
        const script = `require('net').createServer().listen(${JSON.stringify(controlPath(dir))}, () => process.kill(process.pid, 'SIGKILL'))`;
        spawnSync(process.execPath, ['-e', script]);
        expect(existsSync(controlPath(dir))).to.equal(true);
        expect(await callServer(dir, ping)).to.equal(undefined);
        const socket = await startControlSocket({ dataDir: dir, domains: server.domains, logger: silentLogger() });
        expect(await callServer(dir, ping)).to.have.property('ok', true);
        await socket[Symbol.asyncDispose]();
        rmSync(dir, { recursive: true });
    });
    it('leaves the socket of a server that runs alone', async () => {
        const second = await startControlSocket({
            dataDir: server.dataDir,
            domains: server.domains,
            logger: silentLogger(),
        });
        await second[Symbol.asyncDispose]();
        expect(await callServer(server.dataDir, ping)).to.have.property('ok', true);
    });
    it('works in a directory whose name is too long for a socket', async () => {
        const root = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
        const dir = join(root, 'd'.repeat(120));
        const socket = await startControlSocket({ dataDir: dir, domains: server.domains, logger: silentLogger() });
        expect(controlPath(dir).length).to.be.below(100);
        expect(await callServer(dir, ping)).to.have.property('ok', true);
        await socket[Symbol.asyncDispose]();
        rmSync(dirname(controlPath(dir)), { recursive: true });
        rmSync(root, { recursive: true });
    });
    it('trusts no directory that others can write', async () => {
        const root = mkdtempSync(join(tmpdir(), 'sallyport-control-'));
        const dir = join(root, 'd'.repeat(120));
        const shared = dirname(controlPath(dir));
        mkdirSync(shared);
        chmodSync(shared, 0o777);
        const attacker = createServer();
        await new Promise((resolve) => attacker.listen(controlPath(dir), resolve));
        try {
            for (const attempt of [
                () => callServer(dir, ping),
                () => startControlSocket({ dataDir: dir, domains: server.domains, logger: silentLogger() }),
            ]) {
                const refusal = await attempt().catch((error) => error);
                expect(refusal).to.be.instanceOf(Error).with.property('message').that.contains('can be written by others');
            }
        }
        finally {
            await new Promise((resolve) => attacker.close(resolve));
            rmSync(shared, { recursive: true });
            rmSync(root, { recursive: true });
        }
    });
});
