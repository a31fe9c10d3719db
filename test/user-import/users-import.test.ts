import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { cli, environment, type FakeServer, startFakeServer } from '../cli/command-line.ts';
import { foreignPassword, foreignTexts } from '../credentials/foreign-hash-vectors.ts';
import { testDatabase } from '../support/database.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const bcrypt = foreignTexts['bcrypt 2b'] ?? '';

describe('users import', () => {
  let server: FakeServer;
  let dir: string;
  let mark: string;
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  const csv = (rows: number, first = 0): string =>
    [
      'id,mail,hash',
      ...Array.from({ length: rows }, (_, row) => `${first + row},${mark}-${first + row}@x.example,${bcrypt}`),
    ].join('\n');
  const mapped = ['--map', 'email=mail', '--map', 'password_hash=hash'];

  before(async () => {
    server = await startFakeServer();
    dir = mkdtempSync(join(tmpdir(), 'sallyport-import-'));
  });
  beforeEach(() => {
    mark = randomText(10);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('goes through the running server, part by part, and writes the new ids beside the old ones', async () => {
    const file = write('users.csv', csv(130));
    const accounts = join(dir, 'accounts.csv');
    const run = await server.run(['users', 'import', file, ...mapped, '--accounts-to', accounts, '--json']);
    expect(run.code, run.err).to.equal(0);
    expect(run.json()).to.deep.include({ file: 'users.csv', rows: 130, created: 130, problems: [], dryRun: false });
    const [header, ...lines] = readFileSync(accounts, 'utf8').trimEnd().split('\n');
    expect(header).to.equal('source_id,sub');
    expect(lines).to.have.length(130);
    expect(lines[129]).to.match(/^"129",acc_\w{24}$/);
    expect(statSync(accounts).mode & 0o077).to.equal(0);
    const account = await server.domains.accounts.findByLogin(`${mark}-129@x.example`);
    expect(lines[129]).to.contain(account?.id);
    expect(await server.domains.credentials.verifyPassword(account?.id, foreignPassword)).to.equal(true);
  });

  it('reads JSON and JSON lines too', async () => {
    const users = [0, 1].map((id) => ({ id, email: `${mark}-${id}@x.example`, password: { hash: bcrypt } }));
    const more = users.map(({ id }) => ({ id, email: `${mark}-l${id}@x.example` }));
    const json = await server.run(['users', 'import', write('a.json', JSON.stringify({ users })), '--json']);
    expect(json.json()).to.include({ rows: 2, created: 2 });
    const lines = write('a.txt', more.map((user) => JSON.stringify(user)).join('\n'));
    expect(await server.run(['users', 'import', lines])).to.include({ code: 2 });
    const run = await server.run(['users', 'import', lines, '--format', 'jsonl']);
    expect(run).to.include({ code: 0, out: 'a.txt: 2 rows, 2 accounts were made, 0 rows were left out.\n' });
  });

  it('in a dry run says all that would be done, and writes nothing', async () => {
    const database = await testDatabase();
    const tables = ['account', 'password', 'audit_event', 'user_import', 'user_import_row', 'outbox'];
    const counts = () =>
      Promise.all(tables.map(async (table) => Number((await database.sql(table).count({ n: '*' }))[0]?.n)));
    const rows = [
      ...csv(3)
        .split('\n')
        .map((line) => `${line},x`),
      `9,${mark.toUpperCase()}-1@X.example,${bcrypt},x`,
      '10,none,plain,x',
    ];
    const file = write('dry.csv', rows.join('\n').replace('hash,x', 'hash,shoe'));
    const before = await counts();
    const run = await server.run(['users', 'import', file, ...mapped, '--dry-run', '--json']);
    expect(await counts()).to.deep.equal(before);
    expect(run.code, run.err).to.equal(1);
    expect(run.json()).to.deep.equal({
      file: 'dry.csv',
      dryRun: true,
      rows: 5,
      created: 3,
      problems: [
        { seq: 4, line: 5, fields: { email: 'Line 3 has the same email.' } },
        {
          seq: 5,
          line: 6,
          fields: {
            password_hash: 'This is not a hash of a known form.',
            email: 'Give a mail address, for example alex@example.com.',
          },
        },
      ],
      passwords: { bcrypt: 3 },
      unused: ['shoe'],
    });
    const text = await server.run(['users', 'import', file, ...mapped, '--dry-run']);
    expect(text.out).to.contain('dry.csv: 5 rows, 3 accounts would be made, 2 rows were left out.\n');
    expect(text.out)
      .to.contain('  line 5  email: Line 3 has the same email.\n')
      .and.to.match(/Nothing was written\.\n$/);
  });

  it('does what the dry run said', async () => {
    const file = write('same.csv', `${csv(3)}\n9,${mark}-1@x.example,${bcrypt}\n10,none,plain`);
    const dry = (await server.run(['users', 'import', file, ...mapped, '--dry-run', '--json'])).json();
    const real = (await server.run(['users', 'import', file, ...mapped, '--json'])).json();
    expect([real.rows, real.created]).to.deep.equal([dry.rows, dry.created]);
    expect(real.problems.map(({ line }: { line: number }) => line)).to.deep.equal([5, 6]);
    const again = await server.run(['users', 'import', file, ...mapped, '--resume', '--json']);
    expect(again.json()).to.deep.equal(real);
  });

  it('says from which line a broken file cannot be read, and what is done by then', async () => {
    const file = write('broken.json', `[\n{"email":"${mark}@x.example"},\n{"email"`);
    const run = await server.run(['users', 'import', file]);
    expect(run.code).to.equal(2);
    expect(run.err).to.contain('Line 3').and.to.contain('cut off').and.to.contain('The 0 rows before');
    expect(await server.run(['users', 'import', join(dir, 'none.csv')])).to.include({ code: 2 });
    expect(await server.run(['users', 'import', file, '--map', 'email'])).to.include({ code: 2 });
    expect(await server.run(['users', 'import', file, '--set', 'shoe=43'])).to.include({ code: 2 });
    expect(await server.run(['users', 'import', file, '--dry-run', '--resume'])).to.include({ code: 2 });
  });

  it('killed at any moment goes on where it was, without a server', async function flow() {
    this.timeout(240_000);
    const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-import-'));
    const total = 1_200;
    const file = write('many.csv', csv(total));
    const env = environment(dataDir, { SALLYPORT_LOG_LEVEL: 'error' });
    expect(await cli(env, ['migrate'])).to.include({ code: 0 });
    const words = ['users', 'import', file, ...mapped, '--resume', '--json'];
    try {
      for (const seen of ['500 rows', '1000 rows']) {
        const child = spawn(process.execPath, [main, ...words], {
          env: { PATH: process.env.PATH, ...env },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const ended = once(child, 'exit');
        let said = '';
        child.stderr.on('data', (text: Buffer) => {
          said += text.toString();
          if (said.includes(seen)) child.kill('SIGKILL');
        });
        expect(await ended, said).to.deep.equal([null, 'SIGKILL']);
      }
      const run = await cli(env, words);
      expect(run.code, run.err).to.equal(0);
      expect(run.json()).to.deep.include({ rows: total, created: total, problems: [] });
      await using database = await openPglite(dataDir);
      const [row] = await database.sql('account').countDistinct({ n: 'email_key' });
      expect(Number(row?.n)).to.equal(total);
      const events = database.sql('audit_event').where({ type: 'account.created' });
      expect(Number((await events.count({ n: '*' }))[0]?.n)).to.equal(total);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
