import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import knexFactory, { type Knex } from 'knex';
import * as oidc from 'openid-client';
import { embedExamples } from '../../docs/embed.ts';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { partAlgorithms } from '../../src/credentials/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { userFields } from '../../src/user-import/user-fields.ts';
import { foreignPassword, foreignTexts } from '../credentials/foreign-hash-vectors.ts';
import { createPerson } from '../support/people.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { allow, RelyingParty, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'migrating.md'), 'utf8');
const oldSecret = 'the-secret-of-the-old-login-which-is-long';

/** The command lines of the page, continued ones joined, in their order. */
const shellLines = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== ''),
);

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a line of the page in a shell, as it stands. */
async function shell(line: string, cwd: string, env: Record<string, string>): Promise<Ran> {
  const child = spawn('sh', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** The backend of the page while it runs. */
class Backend implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(line: string, cwd: string, env: Record<string, string>) {
    // `exec`, so that ending the shell ends what it started.
    this.#child = spawn('sh', ['-c', line.replace('node ', 'exec node ')], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async url(): Promise<string> {
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no output');
    for await (const line of createInterface({ input: stdout })) return line.replace('Listening on ', '');
    throw new Error('the backend ended');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

const hasPsql = (process.env.PATH ?? '').split(':').some((dir) => existsSync(join(dir, 'psql')));

describe('docs/migrating.md', () => {
  it('has its example as it is, and links to files that exist', () => {
    expect(page).to.equal(embedExamples(page));
    const targets = [...page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => target);
    expect(targets).to.have.length.above(1);
    for (const target of targets) expect(existsSync(join(root, 'docs', target)), target).to.equal(true);
  });

  it('names every field and algorithm, and no other', () => {
    const [, table = ''] = /^\| Field \|[^\n]*\n((?:\|[^\n]*\n)+)/m.exec(page) ?? [];
    const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
    const [, parts = ''] = /^## Hashes$([\s\S]*?)^## /m.exec(page) ?? [];
    const inParts = [...parts.matchAll(/`(password_\w+)`/g)].map(([, name = '']) => name);
    expect(new Set([...named, ...inParts])).to.deep.equal(new Set([...userFields.keys(), 'id']));
    for (const algorithm of partAlgorithms) expect(parts).to.contain(`\`${algorithm}\``);
  });
});

describe('docs/migrating.md, step by step', function steps() {
  this.timeout(120_000);
  const stack = new AsyncDisposableStack();
  const left = [...shellLines];
  let dir: string;
  let env: Record<string, string>;
  let server: RunningApp;
  let old: Knex;

  /** Runs the next command of the page, which starts like this. */
  async function next(start: string, code = 0): Promise<Ran> {
    const line = left.shift() ?? '';
    expect(line.startsWith(start), `${line}\nstarts with ${start}`).to.equal(true);
    const ran = await shell(line, dir, env);
    expect(ran.code, `${line}\n${ran.out}${ran.err}`).to.equal(code);
    return ran;
  }
  const file = (name: string): string[] => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n');

  before(async function start() {
    const { TEST_DATABASE_URL } = process.env;
    if (!TEST_DATABASE_URL || !hasPsql) this.skip();
    const own = stack.use(await createTestDatabase(TEST_DATABASE_URL));
    const theirs = stack.use(await createTestDatabase(TEST_DATABASE_URL));
    old = knexFactory({ client: 'pg', connection: theirs.url });
    stack.defer(() => old.destroy());
    dir = mkdtempSync(join(tmpdir(), 'sallyport-migrating-'));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    server = stack.use(await startApp({ DATABASE_URL: own.url }));
    const { domains } = server.app;
    stack.use(await startControlSocket({ dataDir: server.dataDir, domains, logger: silentLogger() }));
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${root}/src/cli/main.ts" "$@"\n`);
    chmodSync(join(bin, 'npx'), 0o700);
    symlinkSync(join(root, 'examples'), join(dir, 'examples'));
    for (const [, name = '', sql = ''] of page.matchAll(/^```sql (\S+)\n([\s\S]*?)^```$/gm))
      writeFileSync(join(dir, name), sql);
    env = {
      PATH: `${bin}:${process.env.PATH}`,
      NODE_ENV: 'test',
      SALLYPORT_DATA_DIR: server.dataDir,
      DATABASE_URL: own.url,
      OLD_DATABASE_URL: theirs.url,
      OLD_JWT_SECRET: oldSecret,
      ISSUER: server.url,
      PORT: String(await freePort()),
    };
  });
  after(() => stack.disposeAsync());

  it('exports the users of an old backend', async () => {
    await old.raw(`create table users (
      id integer primary key, email text, confirmed_at timestamptz, display_name text, password_hash text,
      totp_secret text, banned boolean not null default false, deleted_at timestamptz)`);
    const user = (id: number, email: string, more = {}) => ({
      id,
      email,
      confirmed_at: new Date(),
      display_name: `Person "${id}", the`,
      password_hash: foreignTexts['bcrypt 2b'],
      ...more,
    });
    await old('users').insert([
      user(1, 'alex@example.com'),
      user(2, 'bo@example.com', { confirmed_at: null }),
      user(3, 'kim@example.com', { banned: true }),
      user(4, 'gone@example.com', { deleted_at: new Date() }),
    ]);
    await next('psql "$OLD_DATABASE_URL" --csv -f export.sql');
    expect(file('users.csv')).to.have.length(4);
  });

  it('looks first, also at hashes in parts', async () => {
    expect((await next('npx sallyport users import users.csv --dry-run')).out).to.contain('3 accounts would be made');
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update('salt1password').digest('hex');
    writeFileSync(join(dir, 'old.csv'), `user_id,email,pwd,salt\n9,old@example.com,${hash},salt1\n`);
    expect((await next('npx sallyport users import old.csv')).out).to.contain('Password hashes: 1 sha.');
    expect(await server.app.domains.accounts.count(10)).to.equal(0);
  });

  it('imports, once also when it is told to go on', async () => {
    expect((await next('npx sallyport users import users.csv --accounts-to')).out).to.contain('3 accounts were made');
    expect((await next('npx sallyport users import users.csv --accounts-to')).out).to.contain('3 accounts were made');
    expect(await server.app.domains.accounts.count(10)).to.equal(3);
    expect((await server.app.domains.accounts.findByLogin('bo@example.com'))?.emailVerified).to.equal(false);
    expect((await server.app.domains.accounts.findByLogin('kim@example.com'))?.status).to.equal('suspended');
    await next('psql "$OLD_DATABASE_URL" -f link.sql');
    await next('psql "$OLD_DATABASE_URL" -c');
    const links = await old('account_link').orderBy('source_id');
    expect(links.map(({ source_id: id }) => id)).to.deep.equal(['1', '2', '3']);
    expect(links[0].sub).to.equal((await server.app.domains.accounts.findByLogin('alex@example.com'))?.id);
  });

  it('takes tokens of both, and only what each of them signed', async () => {
    await next('npx sallyport apis create');
    const made = await next('npx sallyport clients create');
    const clientId = /app_\w+/.exec(made.out)?.[0] ?? '';
    const backend = left.shift() ?? '';
    const sign = (claims: Record<string, string>, key = oldSecret, alg = 'HS256') =>
      new SignJWT(claims).setProtectedHeader({ alg }).setExpirationTime('1h').sign(Buffer.from(key));
    const oldToken = await sign({ sub: '2' });
    const newToken = await tokenOf(clientId);
    const jwks = await (await fetch(`${server.url}/oauth2/jwks`)).text();
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${oldToken.split('.')[1]}.`;
    const ask = async (url: string, token: string): Promise<string> => {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      return `${response.status} ${await response.text()}`;
    };
    {
      await using running = new Backend(backend, dir, env);
      const url = await running.url();
      expect(await ask(url, oldToken)).to.equal('200 {"userId":"2"}');
      expect(await ask(url, newToken)).to.equal('200 {"userId":"1"}');
      for (const bad of [
        '',
        'rubbish',
        unsigned,
        `${newToken.slice(0, -4)}AAAA`,
        await sign({ sub: '2' }, 'another-secret-which-is-long-enough-too'),
        await sign({ sub: '2' }, oldSecret, 'HS512'),
        await sign({ sub: '1', iss: server.url }),
        await sign({ sub: '1', iss: server.url }, jwks),
        await new SignJWT({ sub: '2' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(oldSecret)),
      ]) {
        expect(await ask(url, bad), bad).to.match(/^401 /);
      }
    }
    await using over = new Backend(backend, dir, { ...env, OLD_JWT_SECRET: '' });
    const url = await over.url();
    expect(await ask(url, oldToken)).to.match(/^401 /);
    expect(await ask(url, newToken)).to.equal('200 {"userId":"1"}');
  });

  /** The access token of somebody who signs in here with the password of the old backend. */
  async function tokenOf(clientId: string): Promise<string> {
    const issuer = new WebClient(server.url);
    const party = await RelyingParty.discover({
      issuer: server.url,
      clientId,
      auth: oidc.None(),
      redirectUri: 'http://localhost:8080/callback',
    });
    const attempt = await party.request({ scope: 'openid orders.read', resource: 'https://orders.example.com' });
    const person = { login: 'alex@example.com', password: foreignPassword };
    const back = await allow(issuer, await signIn(issuer, await issuer.open(attempt.url), person));
    const tokens = await party.redeem(back.url, attempt, { resource: 'https://orders.example.com' });
    return tokens.access_token;
  }

  it('knows how far it is, and what has to go back', async () => {
    const { accounts, credentials } = server.app.domains;
    expect((await next('psql "$DATABASE_URL" -f progress.sql')).out).to.match(/\n +1 \| +3\n/);
    const bo = await accounts.findByLogin('bo@example.com');
    await credentials.setPassword(bo!.id, 'chosen at the new place');
    await next('psql "$DATABASE_URL" --csv -f changed.sql');
    const [header, changed, ...more] = file('changed.csv');
    expect([header, more]).to.deep.equal(['source_id,hash', []]);
    expect(changed).to.match(/^2,"\$argon2id\$/);
    const { verify } = await import('argon2');
    expect(await verify(changed?.slice(3, -1) ?? '', 'chosen at the new place')).to.equal(true);
    const late = await createPerson(server);
    await next('psql "$DATABASE_URL" --csv -f new.sql');
    expect(file('new.csv')).to.deep.equal(['id,email', `${late.account.id},${late.account.email}`]);
    expect(left).to.deep.equal([]);
  });
});
