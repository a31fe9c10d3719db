import { expect } from 'chai';
import { loadConfig } from '../../src/config/load.ts';
import { asAccountId, randomText } from '../../src/shared/ids.ts';
import { type FakeServer, startFakeServer } from '../cli/command-line.ts';

describe('passwords at the command line', () => {
  let server: FakeServer;

  before(async () => {
    server = await startFakeServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const create = (words: readonly string[], input?: string) =>
    server.run(['users', 'create', '--email', `u${randomText(10)}@example.com`, '--json', ...words], input);
  const mustChange = (id: string): Promise<boolean> => server.domains.passwordPolicy.mustChange(asAccountId(id));

  it('that are random have to be changed at the next sign-in, and those that were given do not', async () => {
    const random = (await create([])).json();
    expect(await mustChange(random.id)).to.equal(true);
    expect(await mustChange((await create(['--no-must-change'])).json().id)).to.equal(false);
    const given = await create(['--password-stdin'], 'quiet green bicycle tower\n');
    expect(given.code, given.err).to.equal(0);
    expect(await mustChange(given.json().id)).to.equal(false);
    const initial = await create(['--password-stdin', '--must-change'], 'quiet green bicycle tower\n');
    expect(await mustChange(initial.json().id)).to.equal(true);
  });

  it('have to be good ones, or no account is made', async () => {
    const email = `u${randomText(10)}@example.com`;
    for (const [password, says] of [
      ['passwordpassword', /common passwords/],
      ['vq7-xmd4', /15 characters/],
      [`${email.split('@')[0]}-1`, /your name, username or address/],
    ] as const) {
      const made = await server.run(['users', 'create', '--email', email, '--password-stdin'], `${password}\n`);
      expect(made.code).to.equal(2);
      expect(made.err).to.match(says).and.not.contain(password);
    }
    expect(await server.domains.accounts.findByLogin(email)).to.equal(undefined);
  });

  it('are replaced under the same rules', async () => {
    const { id } = (await create(['--password-stdin'], 'quiet green bicycle tower\n')).json();
    const set = (password: string) => server.run(['users', 'set-password', id, '--password-stdin'], `${password}\n`);
    const same = await set('quiet green bicycle tower');
    expect(same.err).to.match(/your password already/);
    expect((await set('quiet green bicycle river')).code).to.equal(0);
    expect(await mustChange(id)).to.equal(false);
    expect((await server.run(['users', 'set-password', id])).out).to.match(/shown only now: \w{5}-/);
    expect(await mustChange(id)).to.equal(true);
  });

  it('can be marked', async () => {
    const { id } = (await create(['--password-stdin'], 'quiet green bicycle tower\n')).json();
    const marked = await server.run(['users', 'require-password-change', id]);
    expect(marked.out).to.match(/chooses another password at the next sign-in/);
    expect(await mustChange(id)).to.equal(true);
    const bare = await server.domains.accounts.create(
      { email: `u${randomText(10)}@example.com` },
      { kind: 'operator' },
    );
    expect((await server.run(['users', 'require-password-change', bare.id])).err).to.match(/has no password/);
  });
});

describe('the variables of the password policy', () => {
  const load = (env: Record<string, string>) =>
    loadConfig({
      NODE_ENV: 'test',
      SALLYPORT_SECRETS: 'x'.repeat(40),
      SALLYPORT_ISSUER: 'http://localhost:3000',
      ...env,
    });

  it('follow NIST SP 800-63B-4 by default', () => {
    expect(load({})).not.to.have.any.keys('SALLYPORT_PASSWORD_BREACHES', 'SALLYPORT_PASSWORD_MAX_AGE_DAYS');
    expect(load({})).to.deep.include({
      SALLYPORT_PASSWORD_MIN_LENGTH: 15,
      SALLYPORT_PASSWORD_MIN_LENGTH_WITH_SECOND_FACTOR: 8,
      SALLYPORT_PASSWORD_CLASSES: {},
    });
  });

  it('are read, and refused with a way to mend them', () => {
    const classes = load({ SALLYPORT_PASSWORD_CLASSES: 'upper=1,digit=2' }).SALLYPORT_PASSWORD_CLASSES;
    expect(classes).to.deep.equal({ upper: 1, digit: 2 });
    for (const place of [
      'https://api.pwnedpasswords.com/range/',
      'http://127.0.0.1:8080/',
      './pwned.txt',
      'C:\\pwned.txt',
    ]) {
      expect(load({ SALLYPORT_PASSWORD_BREACHES: place }).SALLYPORT_PASSWORD_BREACHES).to.equal(place);
    }
    for (const [name, value, says] of [
      ['CLASSES', 'upper', /upper=1/],
      ['CLASSES', 'runes=1', /upper=1/],
      ['BREACHES', 'http://breaches.example/range/', /https address/],
      ['BREACHES', 'ftp://breaches.example/', /https address/],
      ['MIN_LENGTH', '7', /MIN_LENGTH/],
      ['HISTORY', '25', /HISTORY/],
      ['MIN_STRENGTH', '5', /STRENGTH/],
    ] as const) {
      expect(() => load({ [`SALLYPORT_PASSWORD_${name}`]: value }), `${name}=${value}`).to.throw(says);
    }
  });
});
