import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from 'otplib';
import { createDomains } from '../../src/app/domains.ts';
import type { Check } from '../../src/cli/check.ts';
import { loadConfig } from '../../src/config/load.ts';
import { activeAt } from '../../src/credentials/totp-factor.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';
import { fillDataDir } from '../support/scratch.ts';
import { isGenuine, Receiver } from '../webhooks/receiver.ts';
import { cli, environment } from './command-line.ts';

const operator = { kind: 'operator' } as const;
const [old, newest] = ['old-secret-'.repeat(4), 'new-secret-'.repeat(4)];
type Domains = ReturnType<typeof createDomains>;

describe('a change of SALLYPORT_SECRETS', function () {
  this.timeout(30_000);
  const stack = new AsyncDisposableStack();
  let dataDir: string;
  let receiver: Receiver;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'));
    stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    fillDataDir(dataDir);
    receiver = stack.use(await Receiver.start());
  });
  after(() => stack.disposeAsync());

  /** What a node with these secrets does on the database of the directory. */
  async function onNode<T>(secrets: string, work: (domains: Domains, database: Database) => Promise<T>): Promise<T> {
    const config = loadConfig(environment(dataDir, { SALLYPORT_SECRETS: secrets }));
    await using database = await openPglite(dataDir);
    await migrate(database);
    const domains = createDomains(config, database, systemClock, silentLogger());
    try {
      return await work(domains, database);
    } finally {
      await domains.hasher[Symbol.asyncDispose]();
    }
  }
  const run = (secrets: string, ...words: string[]) =>
    cli(environment(dataDir, { SALLYPORT_SECRETS: secrets }), [...words, '--json']);
  const doctor = async (secrets: string): Promise<Check | undefined> =>
    ((await run(secrets, 'doctor')).json() as Check[]).find(({ name }) => name === 'secrets');

  const codeOf = (secret: string, steps: number): Promise<string> =>
    generate({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 });

  async function settleIn({ keys, accounts, credentials, webhooks }: Domains) {
    await keys.prepare();
    const kids = keys.current().signing.map(({ kid }) => kid);
    const people: { id: AccountId; secret: string }[] = [];
    for (const name of ['a', 'b']) {
      const { id } = await accounts.create({ email: `${name}@people.example` }, operator);
      const { secret } = await credentials.totp.begin(id, name);
      expect(await credentials.totp.confirm(id, await codeOf(secret, -1))).to.equal(true);
      people.push({ id, secret });
    }
    const hook = await webhooks.add({ url: receiver.url, events: ['*'] }, operator);
    await credentials.totp.begin(people[0]?.id as AccountId, 'again');
    return { kids, people, hook };
  }

  it('is over when everything lasting was sealed anew: the old one may go, and doctor said so', async () => {
    const { kids, people, hook } = await onNode(old, settleIn);
    expect(await doctor(old)).to.include({ status: 'ok' });
    const warned = await doctor(`${newest},${old}`);
    expect(warned?.status).to.equal('warn');
    expect(warned?.detail).to.include(`signing keys (${kids.length})`);
    expect(warned?.detail).to.include('authenticator apps (2), webhooks (1), enrolments under way (1)');
    expect(warned?.fix).to.include('sallyport secrets reseal');
    expect((await doctor(newest))?.detail, 'too early').to.include('authenticator apps (2)');
    expect((await doctor(newest))?.status).to.equal('fail');

    const tooEarly = await run(newest, 'secrets', 'reseal');
    expect(tooEarly.code, 'without the old secret nothing is touched').to.not.equal(0);
    const done = await run(`${newest},${old}`, 'secrets', 'reseal');
    expect(done.json()).to.deep.equal({ resealed: kids.length + 3, left: 0 });
    expect((await run(`${newest},${old}`, 'secrets', 'reseal')).json()).to.deep.equal({ resealed: 0, left: 0 });
    const after = await doctor(`${newest},${old}`);
    expect(after?.status).to.equal('ok');
    expect(after?.detail).to.match(/^an older one sealed enrolments under way \(1\).*, which expire by themselves$/);

    await onNode(newest, async ({ keys, credentials, webhooks, audit }) => {
      await keys.prepare();
      expect(keys.current().signing.map(({ kid }) => kid)).to.deep.equal(kids);
      for (const { id, secret } of people) {
        expect(await credentials.totp.verify(id, await codeOf(secret, 0))).to.equal('accepted');
      }
      expect(await webhooks.test(hook.endpoint.id)).to.deep.equal({ status: 204 });
      const [message] = receiver.received;
      expect(message && (await isGenuine(message, hook.secret))).to.equal(true);
      const told = await audit.list({ type: 'secrets.resealed', limit: 9 });
      expect(told.map(({ details }) => details?.count)).to.deep.equal([kids.length + 3]);
    });
    expect((await run(old, 'doctor')).code, 'the old one alone opens nothing').to.equal(1);
  });

  it('goes on to the last one, past what nothing opens', async () => {
    await onNode(`${newest},${old}`, async ({ credentials }, database) => {
      await database.sql.raw(`insert into account (id, email, email_key, status, created_at, updated_at)
        select 'acc_' || n, n || '@x.example', n || '@x.example', 'active', now(), now()
        from generate_series(1, 600) n union all select 'acc_~', 'l@x.example', 'l@x.example', 'active', now(), now()`);
      await database.sql.raw(`insert into totp (account_id, secret, last_step, enrolled_at)
        select 'acc_' || n, 'v1.other.a.b', 0, now() from generate_series(1, 600) n`);
      const last = 'acc_~' as AccountId;
      const sealed = new SecretRing([old ?? '']).seal('secret', activeAt(last));
      await database.sql('totp').insert({ account_id: last, secret: sealed, last_step: 0, enrolled_at: new Date() });
      expect(await credentials.resealTotps()).to.deep.equal({ resealed: 1, left: 600 });
    });
  });
});
