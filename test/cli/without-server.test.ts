import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { openDatabase } from '../../src/app/open-storage.ts';
import { askOrOpen } from '../../src/cli/ask-or-open.ts';
import { domainCommands } from '../../src/cli/domain-commands.ts';
import { loadConfig } from '../../src/config/load.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { DataDirInUse, lockDataDir } from '../../src/storage/data-dir-lock.ts';
import { createTestDatabase, stopProcess } from '../support/postgres.ts';
import { cli, environment } from './command-line.ts';

const root = resolve(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'cli', 'main.ts');

describe('command line without a server', () => {
  let dataDir: string;

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
    // Nobody has read revocations into a memory.
    const stats = ['revocations', 'stats'];
    expect((await cli(env, stats)).out).to.equal('Nothing is revoked.\n');
    expect((await cli(env, [...stats, '--json'])).json()).not.to.have.property('memory');
    lockDataDir(dataDir)[Symbol.dispose]();
  });

  describe('and without a database', () => {
    let missing: string;
    beforeEach(() => {
      missing = join(dataDir, 'wrong');
    });

    const makers = ['users create', 'users invite', 'users import', 'clients create', 'apis create', 'webhooks add'];
    const others: Record<string, string[]> = {
      'users list': [],
      'users disable': ['alex'],
      'keys list': [],
      'keys rotate': [],
      'revocations all-before': ['--reason', 'the database was copied'],
      'audit list': [],
      'audit verify': [],
      'audit export': [],
      'secrets status': [],
    };

    for (const [name, options] of Object.entries(others)) {
      it(`${name} says so, makes none, and leaves nothing behind`, async () => {
        const run = await cli(environment(missing, { SALLYPORT_SECRETS: '' }), [...name.split(' '), ...options]);
        expect([run.code, run.out]).to.deep.equal([1, '']);
        expect(run.err)
          .to.include(`no database of Sallyport in ${missing}.`)
          .and.include('SALLYPORT_DATA_DIR')
          .and.include('DATABASE_URL')
          .and.include('sallyport serve');
        expect(existsSync(missing)).to.equal(false);
      });
    }

    it('only commands that begin something may make one', () => {
      const marked = domainCommands.filter(({ makesDatabase }) => makesDatabase).map(({ name }) => name);
      expect([...marked, 'users import']).to.have.members(makers);
    });

    it('who looks into a directory that a server is about to fill waits for it', async () => {
      const lock = lockDataDir(dataDir);
      const logger = silentLogger();
      const look = openDatabase(loadConfig(environment(dataDir)), logger, () => undefined, { make: false });
      expect(await look.catch((error: unknown) => error)).to.be.instanceOf(DataDirInUse);
      lock[Symbol.dispose]();
    });

    const app = ['clients', 'create', '--name', 'App', '--kind', 'web'];
    const refused: [why: string, words: string[], code: number][] = [
      ['a broken address', ['users', 'create', '--email', 'bad'], 2],
      ['an option that does not exist', ['users', 'create', '--email', 'a@example.com', '--colour', 'red'], 2],
      ['a broken redirect URI', [...app, '--redirect-uri', 'https://app.example.com/#x'], 2],
      [
        'an API that nobody registered',
        [...app, '--redirect-uri', 'https://a.example/cb', '--api', 'https://no.example'],
        2,
      ],
      ['a file that is not there', ['users', 'import', '/nonexistent.csv'], 2],
      ['a field that nobody has', ['users', 'import', import.meta.filename, '--format', 'csv', '--map', 'nope=x'], 2],
    ];
    for (const [why, words, code] of refused) {
      it(`makes none for ${why}`, async () => {
        const run = await cli(environment(missing, { SALLYPORT_SECRETS: '' }), words);
        expect(run.code, run.err).to.equal(code);
        expect(existsSync(missing)).to.equal(false);
      });
    }

    it('a dry run of an import works all the same', async () => {
      const file = join(dataDir, 'users.csv');
      writeFileSync(file, 'email\na@example.com\nnobody\n');
      const run = await cli(environment(missing), ['users', 'import', file, '--dry-run', '--json']);
      expect(run.json()).to.include({ rows: 2, created: 1 });
      expect(existsSync(missing)).to.equal(false);
    });

    it('doctor makes nothing either', async () => {
      const { out } = await cli(environment(missing, { SALLYPORT_SECRETS: '' }), ['doctor']);
      expect(out).to.include('will be made at the first start');
      expect(existsSync(missing)).to.equal(false);
    });

    it('a PostgreSQL database that has nothing of Sallyport is not filled by looking', async function () {
      const { TEST_DATABASE_URL } = process.env;
      if (!TEST_DATABASE_URL) this.skip();
      const database = await createTestDatabase(TEST_DATABASE_URL);
      try {
        const env = environment(missing, { DATABASE_URL: database.url });
        for (const _ of [1, 2]) {
          const run = await cli(env, ['users', 'list']);
          expect(run.code).to.equal(1);
          expect(run.err).to.include('in the database that DATABASE_URL names');
        }
      } finally {
        await database[Symbol.asyncDispose]();
      }
    });
  });

  it('is a program: output, exit code and a closed pipe as shells expect them', () => {
    const env = { PATH: process.env.PATH, ...environment(dataDir) };
    const run = (...words: string[]) => spawnSync(process.execPath, [main, ...words], { env, encoding: 'utf8' });
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

  it('opens PostgreSQL, also three at once on an empty database', async function () {
    const { TEST_DATABASE_URL } = process.env;
    if (!TEST_DATABASE_URL) this.skip();
    const database = await createTestDatabase(TEST_DATABASE_URL);
    try {
      const env = environment(dataDir, { DATABASE_URL: database.url });
      const create = (name: string) => cli(env, ['users', 'create', '--email', `${name}@example.com`]);
      for (const { code, err } of await Promise.all(['a', 'b', 'c'].map(create))) expect(code, err).to.equal(0);
      expect((await cli(env, ['users', 'list', '--json'])).json()).to.have.length(3);
    } finally {
      await database[Symbol.asyncDispose]();
    }
  });

  describe('beside a server that is starting', () => {
    it('asks again until the server answers', async () => {
      let asked = 0;
      const answer = await askOrOpen(
        async () => (++asked < 3 ? undefined : 'answer'),
        () => Promise.reject(new DataDirInUse(dataDir, 1)),
      );
      expect([answer, asked]).to.deep.equal(['answer', 3]);
    });

    it('gives up after a while, naming the process', async () => {
      const refusal = await askOrOpen(
        async () => undefined,
        () => Promise.reject(new DataDirInUse(dataDir, 4711)),
        1,
      ).catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(DataDirInUse).with.property('message').that.contains('4711');
    });

    it('does not repeat what failed for another reason', async () => {
      let opened = 0;
      const open = (): Promise<never> => {
        opened += 1;
        return Promise.reject(new Error('no'));
      };
      expect(await askOrOpen(async () => undefined, open).catch((error: Error) => error.message)).to.equal('no');
      expect(opened).to.equal(1);
    });
  });

  describe('and a server that runs', () => {
    let server: ChildProcess | undefined;

    afterEach(async () => {
      if (server) await stopProcess(server, 'SIGKILL');
    });

    const serve = async (env: NodeJS.ProcessEnv): Promise<void> => {
      const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      server = child;
      let said = '';
      child.stderr.on('data', (text: Buffer) => {
        said += text.toString();
      });
      await new Promise<void>((resolved, reject) => {
        child.stdout.on('data', (text: Buffer) => {
          said += text.toString();
          if (said.includes('http://')) resolved();
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
      expect(doctor.json().find(({ name }: { name: string }) => name === 'database').detail).to.contain(
        `process ${server?.pid}`,
      );

      const second = spawnSync(process.execPath, [main, 'serve'], {
        env: { PATH: process.env.PATH, ...env },
        encoding: 'utf8',
      });
      expect(second.status).to.equal(1);
      expect(second.stderr).to.contain(`in use by process ${server?.pid}`);

      if (server) await stopProcess(server, 'SIGKILL');
      const listed = await cli(env, ['users', 'list', '--json']);
      expect(listed.json()).to.have.nested.property('0.email', 'alex@example.com');
    }).timeout(60_000);
  });
});
