import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { readOptions } from '../../src/cli/command.ts';
import { optionsOf } from '../../src/cli/parse-arguments.ts';
import { allCommands, runCli } from '../../src/cli/run-cli.ts';
import type { AppError, ErrorDetails } from '../../src/shared/errors.ts';
import { testDatabase } from '../support/database.ts';
import { cli, environment, type FakeServer, startFakeServer } from './command-line.ts';

describe('bad input on the command line', () => {
  let server: FakeServer;

  before(async () => {
    server = await startFakeServer();
    writeFileSync(join(server.dataDir, 'not.json'), '{');
  });

  after(() => server[Symbol.asyncDispose]());

  const recorded = async (): Promise<number> =>
    Number((await (await testDatabase()).sql('audit_event').count({ count: '*' }))[0]!.count);

  const web = ['clients', 'create', '--name', 'App', '--kind', 'web'];
  const cases: [why: string, words: string[], says: RegExp, stdin?: string][] = [
    ['no command', [], /Usage/],
    ['an unknown command', ['frobnicate'], /no command frobnicate/],
    ['half a command', ['users'], /users create/],
    ['an unknown second word', ['users', 'destroy'], /Which of these/],
    ['an unknown option', ['users', 'list', '--colour'], /no option --colour/],
    ['a value that is missing', ['users', 'create', '--email'], /--email/],
    ['a value that is another option', ['users', 'create', '--email', '--name'], /--email needs a value\./],
    [
      'a value for a switch',
      ['users', 'create', '--email', 'a@example.com', '--admin=yes'],
      /--admin takes no value\./,
    ],
    ['a needed option that is missing', ['users', 'create'], /--email: This is needed/],
    ['an option given twice', ['users', 'create', '--email', 'a@example.com', '--email', 'b@example.com'], /twice/],
    ['a word too many', ['users', 'show', 'one', 'two'], /does not take two/],
    ['a word where none belongs', ['users', 'list', 'all'], /does not take all/],
    ['a password in an argument', ['users', 'create', '--email', 'a@example.com', '--password', 'x'], /no option/],
    ['a broken address', ['users', 'create', '--email', 'not an address'], /--email/],
    ['a broken username', ['users', 'create', '--email', 'a@example.com', '--username', '-'], /--username/],
    ['a name of control characters', ['users', 'create', '--email', 'a@example.com', '--name', 'a\u0000b'], /--name/],
    [
      'a short password',
      ['users', 'create', '--email', 'a@example.com', '--password-stdin'],
      /8 characters/,
      'short\n',
    ],
    ['no password', ['users', 'create', '--email', 'a@example.com', '--password-stdin'], /8 characters/],
    ['a limit that is no number', ['users', 'list', '--limit', 'many'], /--limit: Give a whole number from 1 to 100\./],
    ['a limit out of range', ['users', 'list', '--limit', '0'], /--limit: Give a whole number from 1 to 100\./],
    ['a limit below nothing', ['users', 'list', '--limit', '-3'], /--limit: Give a whole number from 1 to 100\./],
    ['a word that is missing', ['users', 'show'], /<user>: This is needed\./],
    ['an empty word', ['users', 'show', ''], /<user>: It is empty\./],
    ['a word that is too long', ['users', 'show', 'x'.repeat(321)], /<user>: It has more than 320 characters\./],
    [
      'a moment that has not come',
      ['revocations', 'all-before', '2999-01-01T00:00:00Z', '--reason', 'early'],
      /<moment>: /,
    ],
    ['a file that cannot be written', ['audit', 'export', '--out', '/nonexistent/x'], /--out: .* cannot be written/],
    [
      'a list of ids that cannot be written',
      ['users', 'import', 'users.csv', '--accounts-to', '/nonexistent/x'],
      /--accounts-to: .* cannot be written/,
    ],
    [
      'a kind that does not exist',
      ['clients', 'create', '--name', 'App', '--kind', 'toaster'],
      /--kind: Use one of web/,
    ],
    ['a redirect URI with a fragment', [...web, '--redirect-uri', 'https://app.example.com/#x'], /--redirect-uri/],
    ['a redirect URI that is a script', [...web, '--redirect-uri', 'javascript:alert(1)'], /--redirect-uri/],
    ['no redirect URI', web, /--redirect-uri/],
    [
      'an API that nobody registered',
      [...web, '--redirect-uri', 'https://a.example/cb', '--api', 'https://nowhere.example'],
      /not a registered API/,
    ],
    [
      'a method that the kind has not',
      [...web, '--redirect-uri', 'https://a.example/cb', '--auth-method', 'none'],
      /--auth-method/,
    ],
    [
      'a file that is not there',
      [...web, '--redirect-uri', 'https://a.example/cb', '--jwks', '/nonexistent'],
      /cannot be read/,
    ],
    ['an overlap that is too long', ['clients', 'rotate-secret', 'app_x', '--overlap', '99999999'], /--overlap/],
    ['an identifier that is no URI', ['apis', 'create', 'orders', '--name', 'Orders'], /<identifier>/],
    [
      'a scope of OpenID Connect',
      ['apis', 'create', 'https://a.example', '--name', 'A', '--scope', 'openid'],
      /--scope: /,
    ],
    ['an algorithm that does not exist', ['keys', 'rotate', '--alg', 'HS256'], /--alg/],
    ['a page of accounts after nothing', ['users', 'list', '--after', 'garbage'], /--after: There is no account/],
    ['a page of apps after nothing', ['clients', 'list', '--after', 'garbage'], /--after: There is no client/],
    ['a page of deliveries after nothing', ['sessions', 'deliveries', '--after', 'x'], /--after: Give the id/],
    ['a page of keys after nothing', ['api-keys', 'list', '--after', 'x'], /--after: Give the id/],
    [
      'a page of deliveries after one that is gone',
      ['sessions', 'deliveries', '--after', 'lgo_nope'],
      /--after: There is no delivery/,
    ],
    [
      'a page of keys after one that is gone',
      ['api-keys', 'list', '--after', '0123456789abcdef'],
      /--after: There is no key/,
    ],
    ['a page of revocations after nothing', ['revocations', 'list', '--after', 'x'], /--after: Give the cursor/],
    [
      'a cursor beyond what transactions have',
      ['revocations', 'list', '--after', `${2n ** 64n}.client.${'x'.repeat(43)}`],
      /--after: Give the cursor/,
    ],
    ['events before no event', ['audit', 'list', '--before', 'xyz'], /--before: Give the id of an event/],
    ['a type of events that does not exist', ['audit', 'list', '--type', 'nonsense.type'], /--type: .* sign_in,/],
    ['a group of events that does not exist', ['audit', 'list', '--type', 'sign'], /--type/],
    ['events about a name', ['audit', 'list', '--subject', 'nobody'], /--subject: This is no id/],
    ['events by a name', ['audit', 'list', '--actor', 'nobody'], /--actor: Give an id/],
    ['events from no address', ['audit', 'list', '--ip', '300.1.1.1'], /--ip/],
    ['an export of events that do not exist', ['audit', 'export', '--type', 'nonsense.type'], /--type/],
  ];

  for (const [why, words, says, stdin] of cases) {
    it(`refuses ${why} with exit code 2 and changes nothing`, async () => {
      const before = await recorded();
      const run = await server.run(words, stdin);
      expect(run.code, run.out + run.err).to.equal(2);
      expect(run.out + run.err).to.match(says);
      if (words.length > 0) expect(run.out, 'standard output').to.equal('');
      expect(await recorded()).to.equal(before);
    });
  }

  it('says in words of its own what an option takes, for every command', async () => {
    const values = ['', 'x', '-1', '1e99', 'x'.repeat(9_000)];
    for (const command of allCommands) {
      for (const { name, type, multiple } of optionsOf(command).filter((option) => option.type === 'string')) {
        for (const value of values) {
          let fields: ErrorDetails['fields'] = {};
          try {
            readOptions(command, { [name]: multiple ? [value] : value });
          } catch (error) {
            fields = (error as AppError).details.fields ?? {};
          }
          const text = Object.values(fields).join(' ');
          expect(text, `${command.name} ${name} ${type}`).not.to.match(/Invalid|Too (?:big|small)|expected|NaN/);
        }
      }
    }
  });

  it('tells of a name that is taken once, and in JSON by the option', async () => {
    const words = ['users', 'create', '--email', 'twice@example.com'];
    await server.run(words);
    const { code, err } = await server.run(words);
    expect([code, err]).to.deep.equal([1, 'Another account has this email.\n']);
    const { error } = JSON.parse((await server.run([...words, '--json'])).err);
    expect(error).to.deep.include({ code: 'conflict', fields: { '--email': 'Another account has this email.' } });
  });

  it('refuses keys that are not JSON', async () => {
    const words = [...web, '--redirect-uri', 'https://a.example/cb', '--auth-method', 'private_key_jwt'];
    const run = await server.run([...words, '--jwks', join(server.dataDir, 'not.json')]);
    expect([run.code, run.err]).to.deep.equal([
      2,
      'Some options cannot be accepted.\n  --jwks: The file is not JSON.\n',
    ]);
  });

  it('says with exit code 1 that something is not there or is taken', async () => {
    for (const words of [
      ['users', 'show', 'nobody'],
      ['users', 'disable', 'nobody'],
      ['clients', 'show', 'app_nothing'],
      ['clients', 'update', 'app_nothing', '--name', 'x'],
      ['apis', 'remove', 'https://nothing.example'],
      ['keys', 'revoke', 'nokey'],
      ['api-keys', 'list', '--client', 'nobody'],
      ['exchange', 'list', 'nobody'],
    ]) {
      const run = await server.run(words);
      expect(run.code, words.join(' ')).to.equal(1);
      expect(run.err).to.match(/no /);
    }
  });

  it('reports as JSON on standard error with --json', async () => {
    const run = await server.run(['users', 'create', '--email', 'x', '--json']);
    expect(JSON.parse(run.err).error)
      .to.deep.include({ code: 'invalid_input' })
      .and.have.nested.property('fields.--email');
  });

  it('names every problem of the configuration, with exit code 2', async () => {
    const env = environment(server.dataDir, { PORT: 'eighty', SALLYPORT_LOG_LEVEL: 'loud', SALLYPORT_COLOUR: 'red' });
    const run = await cli(env, ['users', 'list']);
    expect(run.code).to.equal(2);
    expect(run.err).to.contain('PORT').and.contain('SALLYPORT_LOG_LEVEL').and.contain('SALLYPORT_COLOUR');
  });

  it('ends with 0, 1 or 2 whatever the words are', async () => {
    const harmless = allCommands.filter(({ name }) => !['serve', 'migrate', 'doctor'].includes(name));
    const flags = harmless.flatMap(({ schema }) => Object.keys(schema.shape)).map((name) => `--${name}`);
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        ...flags,
        '--',
        '-',
        '--json',
        '--help',
        '-h',
        '--no-',
        '--__proto__',
        '__proto__',
        'constructor',
      ),
    );
    const words = fc
      .tuple(
        fc.constantFrom(...harmless.map(({ name }) => name.split(' ')), [], ['help']),
        fc.array(word, { maxLength: 6 }),
      )
      .map(([name, rest]) => [...name, ...rest]);
    const env = environment(server.dataDir);
    await fc.assert(
      fc.asyncProperty(words, fc.string(), async (given, stdin) => {
        let said = '';
        const keep = (text: string): void => {
          said += text;
        };
        const code = await runCli(given, { env, readStdin: async () => stdin, out: keep, err: keep });
        expect(code).to.be.oneOf([0, 1, 2]);
        expect(said).not.to.match(/TypeError|is not a function|undefined|The server failed/);
      }),
      { numRuns: 300 },
    );
  });
});
