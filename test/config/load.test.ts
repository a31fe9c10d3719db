import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Config, ConfigError, loadConfig } from '../../src/config/load.ts';
import { isLoopbackUrl } from '../../src/config/reach.ts';
import { configSchema } from '../../src/config/schema.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';

describe('configuration', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  const load = (env: Record<string, string> = {}): Config => loadConfig({ SALLYPORT_DATA_DIR: dataDir, ...env });

  const problems = (env: Record<string, string>): readonly string[] => {
    try {
      load(env);
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError);
      return (error as ConfigError).problems;
    }
    return [];
  };

  const production = { NODE_ENV: 'production', SALLYPORT_ISSUER: 'https://id.example.com', SALLYPORT_SECRETS: secret };

  it('needs nothing in development, and keeps the secrets that it made', () => {
    const config = load();
    expect(config).to.deep.include({
      issuer: 'http://localhost:3000',
      host: '127.0.0.1',
      demo: true,
      production: false,
    });
    expect(config.secrets[0]).to.match(/^[\w-]{64}$/);
    expect(load().secrets).to.deep.equal(config.secrets);
    expect(statSync(join(dataDir, 'secrets')).mode & 0o777).to.equal(0o600);
  });

  it('follows the port in development and listens everywhere in production', () => {
    expect(load({ PORT: '8080' }).issuer).to.equal('http://localhost:8080');
    expect(load(production)).to.deep.include({ host: '0.0.0.0', demo: false, issuer: 'https://id.example.com' });
    expect(load({ ...production, HOST: '10.0.0.1' }).host).to.equal('10.0.0.1');
  });

  it('keeps no secrets file in production', () => {
    load(production);
    expect(() => statSync(join(dataDir, 'secrets'))).to.throw();
  });

  it('reads a variable from the file that NAME_FILE names, without its line end', () => {
    const file = join(dataDir, 'given');
    writeFileSync(file, `${secret},${secret}-older\n`);
    const { SALLYPORT_SECRETS: _, ...rest } = production;
    expect(load({ ...rest, SALLYPORT_SECRETS_FILE: file }).secrets).to.deep.equal([secret, `${secret}-older`]);
    expect(problems({ ...production, SALLYPORT_SECRETS_FILE: file })).to.deep.equal([
      'SALLYPORT_SECRETS_FILE and SALLYPORT_SECRETS are both set. Keep one.',
    ]);
    expect(problems({ DATABASE_URL_FILE: '/nonexistent' })[0]).to.match(/^DATABASE_URL_FILE names \/nonexistent/);
  });

  it('stops at a variable of ours that does not exist, and ignores those of others', () => {
    expect(problems({ SALLYPORT_ISUER: 'https://id.example.com' })[0]).to.match(
      /^SALLYPORT_ISUER .*config\/example\.env/,
    );
    expect(problems({ SALLYPORT_NOTHING_FILE: '/etc/hostname' })[0]).to.match(/^SALLYPORT_NOTHING_FILE/);
    expect(problems({ SOMETHING_ELSE: 'x', EDITOR_FILE: 'y' })).to.deep.equal([]);
  });

  it('guesses which variable was meant', () => {
    expect(problems({ SALLYPORT_ISUER: 'x' })[0]).to.include('Did you mean SALLYPORT_ISSUER?');
    expect(problems({ SALLYPORT_SECRET_FILE: '/x' })[0]).to.include('Did you mean SALLYPORT_SECRETS_FILE?');
    expect(problems({ SALLYPORT_FRONTEND_THEME: 'x' })[0]).not.to.include('Did you mean');
  });

  it('says in one line for each variable what to give', () => {
    const wrong: Record<string, [given: string, advice: string]> = {
      PORT: ['http', 'Give a whole number from 0 to 65535.'],
      SALLYPORT_MANAGEMENT_PORT: ['70000', 'Give a whole number from 0 to 65535.'],
      SALLYPORT_GRPC_PORT: ['1.5', 'Give a whole number from 0 to 65535.'],
      SALLYPORT_TRACE_RATIO: ['2', 'Give a number from 0 to 1.'],
      SALLYPORT_SESSION_SECONDS: ['0', 'Give a whole number, 1 or more.'],
      SALLYPORT_LOG_LEVEL: ['loud', 'Give one of debug, info, warn, error, silent.'],
      DATABASE_URL: ['localhost', 'Give postgres://user:password@host:5432/database.'],
      REDIS_URL: ['localhost', 'Give redis://host:6379, or with TLS rediss://user:password@host:6379.'],
      SALLYPORT_ISSUER: ['id.example.com', 'Give a URL, for example https://id.example.com.'],
    };
    const given = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value]));
    expect(problems(given)).to.have.members(Object.entries(wrong).map(([name, [, advice]]) => `${name}: ${advice}`));
  });

  it('has such a sentence for every variable', () => {
    for (const name of Object.keys(configSchema.shape)) {
      for (const value of ['', '\u0001', '-1', '1e99', 'http://', '%'])
        for (const problem of problems({ [name]: value })) {
          expect(problem, name).not.to.match(/Invalid|expected|Too (?:small|big)|undefined|NaN/);
        }
    }
  });

  it('takes an empty variable for one that is not set', () => {
    expect(load({ PORT: '', SALLYPORT_ISSUER: '' }).issuer).to.equal('http://localhost:3000');
  });

  describe('names the variable and how to mend it when', () => {
    const cases: [when: string, env: Record<string, string>, names: RegExp][] = [
      [
        'production has no issuer',
        { NODE_ENV: 'production', SALLYPORT_SECRETS: secret },
        /^SALLYPORT_ISSUER is not set\. Give .*https:\/\//,
      ],
      [
        'production has no secrets',
        { NODE_ENV: 'production', SALLYPORT_ISSUER: 'https://id.example.com' },
        /^SALLYPORT_SECRETS is not set\. Make one with `openssl/,
      ],
      [
        'production is plain http',
        { ...production, SALLYPORT_ISSUER: 'http://id.example.com' },
        /^SALLYPORT_ISSUER is plain http\. Put TLS/,
      ],
      ['a secret is short', { SALLYPORT_SECRETS: 'short' }, /^SALLYPORT_SECRETS .*Make one with/],
      ['one of the secrets is short', { SALLYPORT_SECRETS: `${secret},short` }, /^SALLYPORT_SECRETS .*shorter/],
      [
        'the issuer has a path',
        { SALLYPORT_ISSUER: 'https://id.example.com/auth' },
        /^SALLYPORT_ISSUER must be an origin/,
      ],
      [
        'the issuer has a query',
        { SALLYPORT_ISSUER: 'https://id.example.com/?x=1' },
        /^SALLYPORT_ISSUER must be an origin/,
      ],
      ['the issuer is no URL', { SALLYPORT_ISSUER: 'id.example.com' }, /^SALLYPORT_ISSUER: /],
      ['the issuer is another scheme', { SALLYPORT_ISSUER: 'ftp://id.example.com' }, /^SALLYPORT_ISSUER: /],
      ['the database is another product', { DATABASE_URL: 'mysql://root@localhost/x' }, /^DATABASE_URL: /],
      ['Redis is no URL', { REDIS_URL: 'localhost:6379' }, /^REDIS_URL: /],
      ['the port is no number', { PORT: 'http' }, /^PORT: /],
      ['the port is too high', { PORT: '70000' }, /^PORT: /],
      [
        'demo data is asked for where others can reach it',
        { SALLYPORT_DEMO: 'true', HOST: '0.0.0.0' },
        /^SALLYPORT_DEMO is true, and HOST is 0\.0\.0\.0, .*leave one of them out/,
      ],
      [
        'demo data is asked for under an issuer elsewhere',
        { SALLYPORT_DEMO: 'true', SALLYPORT_ISSUER: 'http://192.168.0.10:3000' },
        /^SALLYPORT_DEMO is true, and SALLYPORT_ISSUER .*leave one of them out/,
      ],
      ['a trusted proxy is no address', { SALLYPORT_TRUSTED_PROXIES: '10.0.0.0/33' }, /^SALLYPORT_TRUSTED_PROXIES: /],
      ['a network of webhooks is no range', { SALLYPORT_WEBHOOK_NETWORKS: 'intern' }, /^SALLYPORT_WEBHOOK_NETWORKS: /],
      ['a switch is neither', { SALLYPORT_DEMO: 'yes' }, /^SALLYPORT_DEMO: /],
      ['a life is negative', { SALLYPORT_ACCESS_TOKEN_SECONDS: '-1' }, /^SALLYPORT_ACCESS_TOKEN_SECONDS: /],
      [
        'keys sign before caches have them',
        { SALLYPORT_KEY_PUBLISH_SECONDS: '10' },
        /^SALLYPORT_KEY_PUBLISH_SECONDS .*SALLYPORT_JWKS_MAX_AGE/,
      ],
      [
        'keys leave before their tokens',
        { SALLYPORT_KEY_RETIRE_SECONDS: '10' },
        /^SALLYPORT_KEY_RETIRE_SECONDS .*SALLYPORT_ACCESS_TOKEN_SECONDS/,
      ],
    ];
    for (const [when, env, names] of cases) {
      it(when, () => {
        const [first, ...more] = problems(env);
        expect(first).to.match(names);
        expect(more).to.deep.equal([]);
      });
    }
  });

  it('names all problems at once', () => {
    expect(problems({ NODE_ENV: 'production' })).to.have.length(2);
    expect(problems({ PORT: 'x', SALLYPORT_LOG_LEVEL: 'loud', SALLYPORT_X: '1' })).to.have.length(3);
  });

  it('never repeats a secret in a complaint', () => {
    const [text] = problems({ DATABASE_URL: 'postgrse://user:hunter2hunter2@db/x', SALLYPORT_SECRETS: 'hunter2' });
    expect(text).not.to.contain('hunter2');
  });

  it('allows plain http in production on this machine, without demo data', () => {
    for (const issuer of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000']) {
      expect(isLoopbackUrl(issuer)).to.equal(true);
      expect(load({ ...production, SALLYPORT_ISSUER: issuer })).to.deep.include({ issuer, demo: false });
    }
    for (const other of ['http://localhost.example.com', 'http://127.0.0.1.example.com', 'http://10.0.0.1']) {
      expect(isLoopbackUrl(other)).to.equal(false);
    }
  });

  it('seeds no demo data for an issuer that others can reach', () => {
    expect(load({ SALLYPORT_ISSUER: 'http://192.168.0.10:3000' }).demo).to.equal(false);
    expect(load({ SALLYPORT_DEMO: 'false' }).demo).to.equal(false);
  });

  it('seeds no demo data on an address that others can reach, whatever the issuer says', () => {
    for (const HOST of ['127.0.0.1', '127.8.8.8', '::1', 'localhost', 'LOCALHOST']) {
      expect(load({ HOST }), HOST).to.deep.include({ host: HOST, local: true, demo: true });
      expect(load({ HOST, SALLYPORT_DEMO: 'true' }).demo, HOST).to.equal(true);
    }
    for (const HOST of ['0.0.0.0', '::', '192.168.0.10', '127.0.0.1.example.com', 'localhost.example', '1.127.0.0.1']) {
      expect(load({ HOST }), HOST).to.deep.include({ local: false, demo: false });
      expect(load({ HOST, SALLYPORT_ISSUER: 'http://localhost:3000' }).demo, HOST).to.equal(false);
      expect(problems({ HOST, SALLYPORT_DEMO: 'true' }), HOST).to.have.length(1);
    }
    const file = join(dataDir, 'given');
    writeFileSync(file, 'true\n');
    expect(problems({ HOST: '0.0.0.0', SALLYPORT_DEMO_FILE: file })).to.have.length(1);
    expect(problems({ HOST: '0.0.0.0', SALLYPORT_DEMO: 'false' })).to.deep.equal([]);
  });

  it('seeds no demo data where others reach the gRPC server', () => {
    const open = { SALLYPORT_GRPC_PORT: '9091', SALLYPORT_GRPC_HOST: '0.0.0.0' };
    expect(load(open)).to.deep.include({ local: false, demo: false });
    const refused = /^SALLYPORT_DEMO is true, and SALLYPORT_GRPC_HOST is 0\.0\.0\.0, .*leave one of them out/;
    expect(problems({ ...open, SALLYPORT_DEMO: 'true' })[0]).to.match(refused);
    expect(load({ ...open, SALLYPORT_GRPC_HOST: '127.0.0.1' }).demo).to.equal(true);
    expect(load({ SALLYPORT_GRPC_HOST: '0.0.0.0' }).demo, 'it is off').to.equal(true);
  });

  it('limits guesses and refreshes as the documentation says, where nothing else is set', () => {
    // Per 15 minutes for one address and account, and per hour for one owner of a token family and client.
    expect(load()).to.deep.include({ SALLYPORT_LIMIT_SIGN_IN: 5, SALLYPORT_LIMIT_REFRESH: 10 });
    expect(load()).to.deep.include({ SALLYPORT_LOCKOUT_TRIES: 5, SALLYPORT_LOCKOUT_SECONDS: 1800 });
  });

  it('is the only reader of the environment', async () => {
    const { globSync } = await import('node:fs');
    const root = join(import.meta.dirname, '..', '..', 'src');
    const readers = globSync('**/*.ts', { cwd: root }).filter((file) =>
      readFileSync(join(root, file), 'utf8').includes('process.env'),
    );
    expect(readers.sort()).to.deep.equal(['cli/main.ts', 'main.ts']);
  });
});
