import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'otplib';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { createAccounts } from '../../src/accounts/index.ts';
import { createSqlApiStore } from '../../src/apis/api-store-sql.ts';
import { createApis } from '../../src/apis/index.ts';
import { type DemoCredentials, type DemoSummary, seedDemo } from '../../src/app/demo-data.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlClientStore } from '../../src/clients/client-store-sql.ts';
import { createClients } from '../../src/clients/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import {
  type Credentials,
  createCredentials,
  createPasswordHasher,
  type PasswordHasher,
} from '../../src/credentials/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { ownApi } from '../../src/web/api/resource.ts';

const origin = 'http://localhost:3001';
const firstIssuer = 'http://localhost:3000';

describe('demo data', () => {
  const clock = new FixedClock();
  let database: Database;
  let dataDir: string;
  let hasher: PasswordHasher;
  let credentials: Credentials;

  // An empty database of its own: seeding looks at whether there is any account at all.
  before(async () => {
    database = await openPglite(undefined);
    await migrate(database);
    const logger = silentLogger();
    hasher = createPasswordHasher({ workers: 1, queue: 8, memoryKiB: 7168, passes: 1, logger });
    credentials = createCredentials({
      store: createSqlCredentialStore(database),
      clock,
      audit: createAuditLog(createSqlAuditStore(database), clock),
      secrets: new SecretRing(['a secret for tests with 32 characters']),
      hasher,
      issuerName: 'Sallyport',
      logger,
    });
  });
  after(async () => {
    await hasher[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await database.sql.raw('truncate account, client, client_secret, api cascade');
    dataDir = mkdtempSync(join(tmpdir(), 'demo-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  const start = async (options: { playgroundOrigin?: string; issuer?: string; credentials?: DemoCredentials } = {}) => {
    const { issuer = firstIssuer } = options;
    const audit = createAuditLog(createSqlAuditStore(database), clock);
    const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
    const apis = createApis({ store: createSqlApiStore(database), clock, audit, builtIn: [ownApi(issuer)] });
    const clients = createClients({
      store: createSqlClientStore(database),
      clock,
      audit,
      allowLoopbackHttp: true,
      checkResource: (identifier) => apis.find(identifier),
    });
    const summary = await seedDemo({
      accounts,
      clients,
      apis,
      credentials,
      issuer,
      playgroundOrigin: origin,
      dataDir,
      clock,
      ...options,
    });
    return { summary, accounts, clients, apis };
  };

  const expectUsable = async ({ summary, accounts, clients }: Awaited<ReturnType<typeof start>>) => {
    expect(summary.users.map(({ username }) => username)).to.deep.equal(['alice', 'bob', 'admin']);
    for (const user of summary.users) {
      const account = await accounts.findByLogin(user.username);
      expect(account).to.include({ email: user.email, status: 'active', emailVerified: true });
      expect(await credentials.verifyPassword(account!.id, user.password)).to.equal(true);
      expect(account!.roles).to.deep.equal(user.roles);
      expect((await credentials.factorsOf(account!.id)).totp).to.equal(user.totp !== undefined);
      if (!user.totp) continue;
      // The code on the person's screen has not been used up by turning the factor on.
      const code = await generate({ secret: user.totp.secret, epoch: Math.floor(clock.now() / 1000) });
      expect(await credentials.totp.verify(account!.id, code)).to.equal('accepted');
    }
    expect(summary.clients.map(({ id }) => id)).to.have.members([
      'playground',
      'demo-web',
      'demo-spa',
      'demo-phone',
      'demo-device',
      'demo-machine',
      'demo-service',
    ]);
    for (const { id, secret } of summary.clients) {
      const { token_endpoint_auth_method: method } = (await clients.find(id))!.metadata;
      expect(secret !== undefined).to.equal(method === 'client_secret_basic');
      if (secret !== undefined) expect(await clients.verifySecret(id, secret), id).to.equal(true);
    }
  };

  const withoutExtras = ({ users, clients, apis }: DemoSummary) => ({ users, clients, apis });

  it('is made at the first start, with random passwords in a file that only its owner reads', async () => {
    const first = await start();
    await expectUsable(first);
    expect(first.summary.users.filter(({ totp }) => totp).map(({ username }) => username)).to.deep.equal(['bob']);
    expect(first.summary.users.find(({ roles }) => roles.includes('admin'))?.username).to.equal('admin');
    expect(new Set(first.summary.users.map(({ password }) => password)).size).to.equal(3);
    for (const { password } of first.summary.users) expect(password).to.match(/^(?:[0-9a-z]{5}-){3}[0-9a-z]{5}$/);
    const file = join(dataDir, 'demo.json');
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.include(withoutExtras(first.summary));
    const playground = await first.clients.find('playground');
    expect(playground?.metadata.redirect_uris).to.deep.equal([`${origin}/callback`]);
    expect(await first.apis.find('https://notes.demo.example')).to.not.equal(undefined);
    const phone = await first.clients.find('demo-phone');
    expect(phone).to.deep.include({ firstParty: true, directSignIn: true });
    expect(phone?.apis).to.have.property(`${firstIssuer}/api/v1`);
  });

  it('is made where there is no data directory yet, which nobody else may enter', async () => {
    const outer = dataDir;
    dataDir = join(outer, 'data');
    try {
      await expectUsable(await start());
      expect(statSync(dataDir).mode & 0o777).to.equal(0o700);
    } finally {
      dataDir = outer;
    }
  });

  it('is the same at the next start, and writes nothing', async () => {
    const first = await start();
    const before = await database.sql('audit_event').count();
    const second = await start();
    expect(withoutExtras(second.summary)).to.deep.equal(withoutExtras(first.summary));
    expect(await database.sql('audit_event').count()).to.deep.equal(before);
  });

  it('follows the playground to another port', async () => {
    await start();
    const { clients } = await start({ playgroundOrigin: 'http://localhost:4001' });
    const { redirect_uris, post_logout_redirect_uris } = (await clients.find('playground'))!.metadata;
    expect(redirect_uris).to.deep.equal(['http://localhost:4001/callback']);
    expect(post_logout_redirect_uris).to.deep.equal(['http://localhost:4001/']);
  });

  it('follows the issuer, alone and together with the playground, and keeps what people changed', async () => {
    const first = await start();
    const phone = (await first.clients.find('demo-phone'))!;
    const scoped = { 'https://notes.demo.example': ['notes:read'], [`${firstIssuer}/api/v1`]: ['account:read'] };
    await first.clients.update(phone.id, phone.version, { apis: scoped, name: 'Mine' }, { kind: 'operator' });
    const moves = [
      { issuer: 'http://localhost:4000' },
      { issuer: 'http://localhost:5000', playgroundOrigin: 'http://localhost:5001' },
    ];
    for (const move of moves) {
      const { clients } = await start(move);
      const playground = (await clients.find('playground'))!;
      expect(playground.apis).to.deep.equal({ 'https://notes.demo.example': [], [`${move.issuer}/api/v1`]: [] });
      expect(playground.metadata.redirect_uris).to.deep.equal([`${move.playgroundOrigin ?? origin}/callback`]);
      const moved = (await clients.find('demo-phone'))!;
      expect(moved.name).to.equal('Mine');
      expect(moved.apis).to.deep.equal({
        'https://notes.demo.example': ['notes:read'],
        [`${move.issuer}/api/v1`]: ['account:read'],
      });
    }
  });

  it('is finished at the next start when the first one died anywhere', async () => {
    for (let allowed = 0; allowed < 5; allowed += 1) {
      await database.sql.raw('truncate account, client, client_secret, api cascade');
      let calls = 0;
      const dying = <Args extends unknown[], Result>(work: (...args: Args) => Result) => {
        return (...args: Args): Result => {
          calls += 1;
          if (calls > allowed) throw new Error('killed');
          return work(...args);
        };
      };
      const { totp } = credentials;
      const weak: DemoCredentials = {
        setPassword: dying((id, password) => credentials.setPassword(id, password)),
        totp: {
          begin: dying((id, label) => totp.begin(id, label)),
          confirm: dying((id, code) => totp.confirm(id, code)),
        },
      };
      await start({ credentials: weak }).then(
        () => expect.fail('It did not die.'),
        (error: Error) => expect(error.message).to.equal('killed'),
      );
      await expectUsable(await start());
    }
  });

  it('gives new secrets when the database is another, empty one', async () => {
    const first = await start();
    await database.sql.raw('truncate account, client, client_secret, api cascade');
    const second = await start();
    await expectUsable(second);
    expect(second.summary.users[0]?.password).to.not.equal(first.summary.users[0]?.password);
  });

  it('finds its clients when only the accounts were lost', async () => {
    await start();
    await database.sql.raw('truncate account cascade');
    await expectUsable(await start());
  });

  it('stays away from a database that has accounts of its own', async () => {
    const { summary } = await start();
    rmSync(join(dataDir, 'demo.json'));
    expect((await start()).summary).to.deep.equal({ users: [], clients: [], apis: [] });
    // The file of another installation has the same names, but not these accounts.
    const users = summary.users.map((user) => ({ ...user, id: 'acc_other' }));
    writeFileSync(join(dataDir, 'demo.json'), JSON.stringify({ ...summary, users, complete: true }));
    expect((await start()).summary.users).to.deep.equal([]);
  });
});
