import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { embedExamples, pages } from '../../docs/embed.ts';
import { startControlSocket } from '../../src/cli/control-socket.ts';
import { allCommands, runCli } from '../../src/cli/run-cli.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { browser } from '../support/browser.ts';
import { createPerson, enrolTotp, type Person } from '../support/people.ts';
import { allow, signIn } from '../support/relying-party.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The command lines of the README's shell blocks, continued lines joined. */
const shellLines = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== ''),
);

/** Splits a command line at spaces outside of quotes; the README needs no more of a shell. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

const commandStarting = (start: string): string[] => {
  const found = shellLines.filter((line) => line.startsWith(start));
  expect(found, start).to.have.length(1);
  return wordsOf(found[0] ?? '');
};

interface Credentials {
  readonly id: string;
  readonly secret?: string;
}

/** A running example; `url` is where it says that it is. */
class Example implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, env: Record<string, string>) {
    this.#child = spawn(process.execPath, [join(root, file)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    return (await this.#lines.next()).value ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

describe('README', () => {
  let server: RunningApp;
  let control: AsyncDisposable;
  let person: Person;
  const env = (): Record<string, string> => ({ NODE_ENV: 'test', SALLYPORT_DATA_DIR: server.dataDir });

  /** Runs one of the README's sallyport commands as it stands, and gives its result. */
  async function run<T = Credentials>(start: string, replace: Record<string, string> = {}): Promise<T> {
    const [, , ...words] = commandStarting(`npx sallyport ${start}`);
    const given = words.map((word) =>
      Object.entries(replace).reduce((text, [from, to]) => text.replace(from, to), word),
    );
    const [output, faults]: [string[], string[]] = [[], []];
    const code = await runCli([...given, '--json'], {
      env: env(),
      readStdin: async () => '',
      out: (text) => output.push(text),
      err: (text) => faults.push(text),
    });
    expect(code, faults.join('')).to.equal(0);
    return JSON.parse(output.join('')) as T;
  }

  before(async function start() {
    this.timeout(60_000);
    server = await startApp();
    control = await startControlSocket({
      dataDir: server.dataDir,
      domains: server.app.domains,
      logger: silentLogger(),
    });
    person = await createPerson(server);
    await run('apis create');
  });
  after(async () => {
    await control?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('has the examples as they are', () => {
    const files = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      expect(text, `${page}: run \`node docs/embed.ts\``).to.equal(embedExamples(text));
      return [...text.matchAll(/^```\w+ (examples\/\S+)$/gm)].map(([, file]) => file);
    });
    expect(files).to.have.length(6);
  });

  it('links to files that exist', () => {
    const targets = [...pages, 'SECURITY.md'].flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to = '']) => join(dirname(page), to));
    });
    const mentioned = [...readme.matchAll(/`((?:src|views|config|migrations|test)\/[\w./-]*)`/g)].map(
      ([, path = '']) => path,
    );
    const missing = [...targets, ...mentioned].filter((path) => !existsSync(join(root, path)));
    expect(missing).to.deep.equal([]);
    const walked = [...readme.matchAll(/`((?:web|sign-in|oidc)\/[\w/-]+\.ts)`/g)].map(([, path = '']) => path);
    expect(walked).to.have.length.above(15);
    expect(walked.filter((path) => !existsSync(join(root, 'src', path)))).to.deep.equal([]);
  });

  it('has a map with every folder of src/, and the domains in the order of their imports', () => {
    const rows = [...readme.matchAll(/^\| (`src\/.*?) \|/gm)].map(([, cell = '']) => cell).join(' ');
    const named = [...rows.matchAll(/`src\/([\w-]+)\/`/g)].map(([, name = '']) => name);
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(named).to.have.members(folders.map(({ name }) => name));
    const rules = createRequire(import.meta.url)('../../config/boundaries.cjs') as { forbidden: { name: string }[] };
    const domains = rules.forbidden.flatMap(({ name }) => /^(.+)-imports-only-earlier-domains$/.exec(name)?.[1] ?? []);
    expect(domains).to.have.length.above(10);
    expect(named.filter((name) => domains.includes(name))).to.deep.equal(domains.toReversed());
  });

  it('names scripts and commands that exist, and all of the commands', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const used = [...readme.matchAll(/npm (?:run )?(start|test|dev|check|bench|build|boundaries)\b/g)].map(
      ([, name]) => name,
    );
    expect(scripts).to.include.keys(...new Set(used.map(String)));
    const [, table = ''] = /\| Command \|[^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/.exec(readme) ?? [];
    const named = table.split('\n').flatMap((row) => {
      const words = [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      const [group] = words[0]?.includes(' ') ? (words[0]?.split(' ') ?? []) : [];
      return words.map((word) => (group && !word.startsWith(`${group} `) ? `${group} ${word}` : word));
    });
    expect(named).to.have.members(allCommands.map(({ name }) => name));
    for (const line of shellLines.filter((one) => one.startsWith('npx sallyport '))) {
      const words = wordsOf(line).slice(2, 4).join(' ');
      expect(
        allCommands.some(({ name }) => words === name || words.startsWith(`${name} `)),
        line,
      ).to.equal(true);
    }
  });

  it('names addresses that answer', async () => {
    const paths = [...readme.matchAll(/<http:\/\/localhost:3000(\/[\w/]+)>/g)].map(([, path = '']) => path);
    expect(paths).to.have.length(4);
    for (const path of paths) {
      const { status } = await fetch(new URL(path, server.url), { redirect: 'manual' });
      expect(status, path).to.be.within(200, 303);
    }
  });

  it('makes an account, invites somebody, and helps who lost a second factor', async () => {
    const { id, ...made } = await run<{ id: string; email: string }>('users create');
    expect(made).to.include({ email: 'alex@example.com' });
    expect(await run('users invite')).to.include({ email: 'bo@example.com' });
    await enrolTotp(server, asAccountId(id), 'alex');
    expect(await run('users recovery-link')).to.deep.include({ lost: 'second-factor', removes: ['authenticator'] });
  });

  it('signs a person in to the web app and out again', async () => {
    const port = String(await freePort());
    const { id, secret = '' } = await run('clients create --name "My web app"', { 8080: port });
    await using app = new Example('examples/web-app.mjs', {
      ISSUER: server.url,
      CLIENT_ID: id,
      CLIENT_SECRET: secret,
      PORT: port,
    });
    const home = (await app.line()).replace('Open ', '');
    const [site, issuer] = [new WebClient(home), new WebClient(server.url)];

    const leaving = await site.open('/sign-in');
    const consent = await signIn(issuer, await issuer.open(leaving.url), person);
    const back = await allow(issuer, consent);
    expect(back.url.origin).to.equal(home);
    const before = site.cookies().get('session');
    expect((await site.open(back.url)).text).to.include(`Hello ${person.login}@people.example`);
    expect(site.cookies().get('session')).not.to.equal(before);

    const out = await site.post('/sign-out', {});
    expect(out.url.pathname).to.equal('/oauth2/logout');
    expect((await site.open('/')).text).to.include('href="/sign-in"');
    const elsewhere = new WebClient(home);
    expect((await elsewhere.open(back.url)).text).not.to.include('Hello');
  });

  it('signs a person in to the app in the browser', async function flow() {
    this.timeout(60_000);
    const port = String(await freePort());
    const { id, secret } = await run('clients create --name "My browser app"', { 8080: port });
    expect(secret).to.equal(undefined);
    await using app = new Example('examples/spa/serve.mjs', { ISSUER: server.url, CLIENT_ID: id, PORT: port });
    const home = (await app.line()).replace('Open ', '');
    const context = await (await browser()).newContext();
    try {
      const page = await context.newPage();
      await page.goto(home);
      await page.click('#sign-in');
      await page.fill('[name=username]', person.login);
      await page.fill('[name=password]', person.password);
      await page.click('[name=action][value=continue]');
      await page.waitForSelector('[data-page=consent], #who');
      if (await page.locator('[data-page=consent]').count()) await page.click('[name=action][value=continue]');
      await page.waitForFunction(`document.querySelector('#who')?.textContent !== 'nobody' && location.search === ''`);
      expect(await page.textContent('#who')).to.equal(`${person.login}@people.example`);
      expect(await page.textContent('#problem')).to.equal('');
    } finally {
      await context.close();
    }
  });

  it('lets a machine call the API, and nobody else', async () => {
    const port = String(await freePort());
    const machine = await run('clients create --name "Nightly job"');
    await using api = new Example('examples/api.mjs', { ISSUER: server.url, PORT: port });
    const url = `${(await api.line()).replace('Listening on ', '')}/orders`;
    const own = { ISSUER: server.url, CLIENT_ID: machine.id, CLIENT_SECRET: machine.secret ?? '', API_URL: url };
    await using job = new Example('examples/machine.mjs', own);
    expect(await job.line()).to.equal(`200 {"orders":[],"for":"${machine.id}"}`);

    const call = async (authorization?: string): Promise<string> => {
      const response = await fetch(url, authorization === undefined ? {} : { headers: { authorization } });
      return `${response.status} ${response.headers.get('www-authenticate')}`;
    };
    expect(await call()).to.equal('401 Bearer');
    expect(await call('Bearer rubbish')).to.equal('401 Bearer error="invalid_token"');
    const basic = `Basic ${Buffer.from(`${machine.id}:${machine.secret}`).toString('base64')}`;
    const token = async (form: Record<string, string>): Promise<string> => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...form });
      const response = await fetch(`${server.url}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: basic },
        body,
      });
      return ((await response.json()) as { access_token: string }).access_token;
    };
    const unscoped = await token({ resource: 'https://orders.example.com' });
    expect(await call(`Bearer ${unscoped}`)).to.equal('403 Bearer error="insufficient_scope", scope="orders.read"');
  });

  it('has curl commands that work', async () => {
    const service = await run('clients create --name "Orders API"');
    const machine = await run('clients create --name "Nightly job"');
    const form = (words: string[], values: Record<string, string>): URLSearchParams =>
      new URLSearchParams(
        words
          .filter((_, index) => words[index - 1] === '-d')
          .map((text) => text.replace(/"?\$(\w+)"?/, (_, name: string) => values[name] ?? ''))
          .map((text): [string, string] => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
      );
    const post = async (line: string, { id, secret }: Credentials, values: Record<string, string> = {}) => {
      const words = commandStarting(line);
      const url = (words.find((word) => word.startsWith('http')) ?? '').replace('http://localhost:3000', server.url);
      const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
      return (await fetch(url, { method: 'POST', headers, body: form(words, values) })).json() as Promise<
        Record<string, unknown>
      >;
    };
    const curl = 'curl -u "$CLIENT_ID:$CLIENT_SECRET" http://localhost:3000/oauth2';
    const { access_token } = await post(`${curl}/token`, machine);
    expect(access_token).to.match(/^eyJ/);
    const asked = await post(`${curl}/introspect`, service, { TOKEN: String(access_token) });
    expect(asked).to.include({ active: true, scope: 'orders.read', client_id: machine.id });
  });
});
