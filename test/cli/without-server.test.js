import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { askOrOpen } from '../../src/cli/ask-or-open.js';
import { DataDirInUse, lockDataDir } from '../../src/storage/data-dir-lock.js';
import { cli, environment } from './command-line.js';
const root = resolve(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'cli', 'main.ts');
describe('command line without a server', () => {
    let dataDir;
    beforeEach(() => {
        dataDir = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
    });
    afterEach(() => {
        rmSync(dataDir, { recursive: true, force: true });
    });
    it('opens the data directory itself, making it ready first, and lets go of it', async () => {
        const env = environment(dataDir);
        const made = await cli(env, ['users', 'create', '--email', 'alex@example.com', '--json']);
        expect(made.code, made.err).to.equal(0);
        expect(made.err).to.equal('Making the embedded database.\n');
        const listed = await cli(env, ['users', 'list', '--json']);
        expect(listed.json()).to.have.length(1).and.have.nested.property('0.email', 'alex@example.com');
        lockDataDir(dataDir)[Symbol.dispose]();
    });
    it('is a program: output, exit code and a closed pipe as shells expect them', () => {
        const env = { PATH: process.env.PATH, ...environment(dataDir) };
        const run = (...words) => spawnSync(process.execPath, [main, ...words], { env, encoding: 'utf8' });
        expect(run('version')).to.deep.include({ status: 0, stderr: '' });
        expect(run('users', 'show', 'x', 'y')).to.deep.include({ status: 2, stdout: '' });
        const piped = spawnSync('sh', ['-c', `"${process.execPath}" "${main}" help | head -1`], { env, encoding: 'utf8' });
        expect(piped).to.deep.include({ status: 0, stdout: 'Usage: sallyport <command> [options]\n', stderr: '' });
    });
    it('reads a password from standard input as a program', () => {
        const env = { PATH: process.env.PATH, ...environment(dataDir) };
        const words = ['users', 'create', '--email', 'alex@example.com', '--password-stdin'];
        const run = spawnSync(process.execPath, [main, ...words], {
            env,
            encoding: 'utf8',
            input: 'correct horse battery\n',
        });
        expect(run.status, run.stderr).to.equal(0);
        expect(run.stdout + run.stderr).not.to.contain('correct horse');
    });
    it('migrates, and says what it applied', async () => {
        const env = environment(dataDir);
        const first = await cli(env, ['migrate', '--json']);
        expect(first.json().applied).to.include('0001_accounts');
        expect((await cli(env, ['migrate'])).out).to.equal('The schema is up to date.\n');
    });
    it('refuses to migrate under a process that has the directory, and names it', async () => {
        const lock = lockDataDir(dataDir);
        const run = await cli(environment(dataDir), ['migrate']);
        lock[Symbol.dispose]();
        expect(run.code).to.equal(1);
        expect(run.err).to.contain(`in use by process ${process.pid}`);
    });
    it('fails within seconds when the database is away', async () => {
        const env = environment(dataDir, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
        const started = performance.now();
        const run = await cli(env, ['users', 'list']);
        expect(run.code).to.equal(1);
        expect(run.err).to.match(/ECONNREFUSED|cannot reach its database/);
        expect(performance.now() - started).to.be.below(5_000);
    });
    describe('beside a server that is starting', () => {
        it('asks again until the server answers', async () => {
            let asked = 0;
            const answer = await askOrOpen(async () => (++asked < 3 ? undefined : 'answer'), () => Promise.reject(new DataDirInUse(dataDir, 1)));
            expect([answer, asked]).to.deep.equal(['answer', 3]);
        });
        it('gives up after a while, naming the process', async () => {
            const refusal = await askOrOpen(async () => undefined, () => Promise.reject(new DataDirInUse(dataDir, 4711)), 1).catch((error) => error);
            expect(refusal).to.be.instanceOf(DataDirInUse).with.property('message').that.contains('4711');
        });
        it('does not repeat what failed for another reason', async () => {
            let opened = 0;
            const open = () => {
                opened += 1;
                return Promise.reject(new Error('no'));
            };
            expect(await askOrOpen(async () => undefined, open).catch((error) => error.message)).to.equal('no');
            expect(opened).to.equal(1);
        });
    });
    describe('and a server that runs', () => {
        let server;
        afterEach(async () => {
            if (!server || server.exitCode !== null)
                return;
            const ended = new Promise((resolved) => server?.once('exit', resolved));
            server.kill('SIGKILL');
            await ended;
        });
        const serve = async (env) => {
            const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
            server = child;
            let said = '';
            child.stderr.on('data', (text) => {
                said += text.toString();
            });
            await new Promise((resolved, reject) => {
                child.stdout.on('data', (text) => {
                    said += text.toString();
                    if (said.includes('http://'))
                        resolved();
                });
                child.once('exit', () => reject(new Error(`The server ended:\n${said}`)));
            });
        };
        it('reaches it, sees the same data after kill -9, and never opens the directory beside it', async () => {
            const env = environment(dataDir, {
                PORT: '0',
                SALLYPORT_MANAGEMENT_PORT: '0',
                SALLYPORT_DEMO: 'false',
                SALLYPORT_LOG_LEVEL: 'error',
            });
            await serve({ PATH: process.env.PATH, ...env });
            const made = await cli(env, ['users', 'create', '--email', 'alex@example.com', '--json']);
            expect(made.code, made.err).to.equal(0);
            expect(readFileSync(join(dataDir, 'sallyport.pid'), 'utf8').trim()).to.equal(String(server?.pid));
            const doctor = await cli(env, ['doctor', '--json']);
            expect(doctor.json().find(({ name }) => name === 'database').detail).to.contain(`process ${server?.pid}`);
            const second = spawnSync(process.execPath, [main, 'serve'], {
                env: { PATH: process.env.PATH, ...env },
                encoding: 'utf8',
            });
            expect(second.status).to.equal(1);
            expect(second.stderr).to.contain(`in use by process ${server?.pid}`);
            const ended = new Promise((resolved) => server?.once('exit', resolved));
            server?.kill('SIGKILL');
            await ended;
            const listed = await cli(env, ['users', 'list', '--json']);
            expect(listed.json()).to.have.nested.property('0.email', 'alex@example.com');
        }).timeout(60_000);
    });
});
