import { expect } from 'chai';
import { generateSync } from 'otplib';
import { createDomains } from '../../src/app/domains.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import { randomText } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import type { FileRow, ImportRun, ImportSettings } from '../../src/user-import/index.ts';
import { foreignPassword, foreignTexts } from '../credentials/foreign-hash-vectors.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

const settings: ImportSettings = { map: {}, set: {}, mustChange: false, allowAdmin: false };
const by = { kind: 'operator' } as const;
const rowsOf = (records: readonly Record<string, unknown>[], from = 1): FileRow[] =>
  records.map((record, index) => ({ seq: from + index, line: from + index + 1, record }));
const refusal = (error: unknown): string => (error instanceof AppError ? error.code : String(error));

for (const lane of sqlLanes()) {
  describe(`the import of users on ${lane}`, () => {
    let database: Database;
    let domains: ReturnType<typeof createDomains>;
    let run: ImportRun;
    let mark: string;
    const begin = (digest = randomText(20), resume = false) =>
      domains.userImport.begin({ name: 'users.csv', digest }, settings, { resume });
    const count = async (table: string): Promise<number> => Number((await database.sql(table).count({ n: '*' }))[0]?.n);
    const users = (amount: number) =>
      Array.from({ length: amount }, (_, index) => ({ id: index, email: `${mark}-${index}@x.example` }));

    before(async () => {
      database = await testDatabase(lane);
      const config = loadConfig({
        NODE_ENV: 'test',
        SALLYPORT_DATA_DIR: '/nonexistent',
        SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
        SALLYPORT_ARGON2_MEMORY_KIB: '7168',
        SALLYPORT_ARGON2_PASSES: '1',
      });
      domains = createDomains(config, database, systemClock, silentLogger());
    });
    after(() => domains?.hasher[Symbol.asyncDispose]());
    beforeEach(async () => {
      mark = randomText(10);
      run = await begin();
    });

    it('makes accounts that sign in as before, and mails nobody', async () => {
      const mails = await count('outbox');
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
      const { created, problems } = await domains.userImport.addRows(
        run.id,
        rowsOf([
          {
            id: 'old-1',
            email: `${mark}@x.example`,
            username: `u${mark}`,
            email_verified: true,
            roles: ['support'],
            profile: { name: 'Alex Doe' },
            password: { hash: foreignTexts['bcrypt 2y'], changed_at: '2025-01-01' },
            totp_secret: secret,
            must_change: true,
          },
          { id: 'old-2', email: `${mark}-2@x.example`, status: 'suspended' },
        ]),
        by,
      );
      expect(problems).to.deep.equal([]);
      const [first, second] = created;
      const account = await domains.accounts.findByLogin(`u${mark}`);
      expect(account).to.deep.include({ emailVerified: true, status: 'active', roles: ['support'] });
      expect(account?.profile).to.deep.equal({ name: 'Alex Doe' });
      expect(account?.id).to.equal(first?.accountId);
      const id = first!.accountId;
      expect(await domains.credentials.factorsOf(id)).to.deep.equal({ password: true, totp: true, backupCodes: 0 });
      expect(await domains.credentials.verifyPassword(id, foreignPassword)).to.equal(true);
      const code = generateSync({ secret, epoch: Math.floor(Date.now() / 1000) });
      expect(await domains.credentials.totp.verify(id, code)).to.equal('accepted');
      expect(await domains.passwordPolicy.mustChange(id)).to.equal(true);
      const stored = await database.sql('password').where({ account_id: id }).first();
      expect(stored.hash).to.match(/^\$argon2id\$/);
      expect(stored.changed_at.toISOString()).to.equal('2025-01-01T00:00:00.000Z');
      const history = await database.sql('password_history').where({ account_id: id });
      expect(history.map(({ hash }) => hash)).to.deep.equal([stored.hash]);
      expect((await domains.accounts.find(second!.accountId))?.status).to.equal('suspended');
      expect(await count('outbox')).to.equal(mails);
    });

    it('says in the audit log where each account came from, and once what a run did', async () => {
      const { created } = await domains.userImport.addRows(
        run.id,
        rowsOf([{ email: `${mark}@x.example`, password_hash: foreignTexts['scrypt PHC'] }, { email: 'nothing' }]),
        by,
      );
      const [event, ...more] = await domains.audit.list({ subject: created[0]!.accountId, limit: 10 });
      expect(more).to.deep.equal([]);
      expect(event).to.deep.include({ type: 'account.created', actor: by });
      expect(event?.details).to.deep.equal({ source: 'import', import: run.id, password: 'scrypt' });
      const finished = await domains.userImport.finish(run.id, by);
      expect(await domains.userImport.finish(run.id, by)).to.deep.equal(finished);
      expect(finished).to.include({ rowsDone: 2, created: 1, problems: 1 });
      const runs = await domains.audit.list({ subject: run.id, limit: 10 });
      expect(runs.map(({ type, details }) => ({ type, details }))).to.deep.equal([
        { type: 'user_import.finished', details: { file: 'users.csv', rows: 2, created: 1, problems: 1 } },
      ]);
    });

    it('reports names that are taken and goes on', async () => {
      const { created, problems } = await domains.userImport.addRows(
        run.id,
        rowsOf([
          { id: 1, email: `${mark}@x.example`, username: `u${mark}` },
          { id: 2, email: `${mark.toUpperCase()}@X.example` },
          { id: 3, email: `${mark}-3@x.example`, username: `U${mark}` },
          { id: 4, email: `${mark}-4@x.example` },
        ]),
        by,
      );
      expect(created.map(({ sourceId }) => sourceId)).to.deep.equal(['1', '4']);
      expect(problems).to.deep.equal([
        { seq: 2, line: 3, fields: { email: 'Another account has this email.' } },
        { seq: 3, line: 4, fields: { username: 'Another account has this username.' } },
      ]);
      expect(await domains.userImport.problems(run.id, 0)).to.deep.equal(problems);
      expect(await domains.userImport.problems(run.id, 2)).to.have.length(1);
      expect(await domains.userImport.created(run.id, 0)).to.deep.equal(created);
    });

    it('takes every row once, of fifty who bring the same ones', async () => {
      const rows = rowsOf(users(3));
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => domains.userImport.addRows(run.id, rows, by)),
      );
      const codes = results.map((result) => (result.status === 'fulfilled' ? 'done' : refusal(result.reason)));
      expect(codes.filter((code) => code === 'done')).to.have.length(1);
      expect(new Set(codes)).to.deep.equal(new Set(['done', 'conflict']));
      expect(await domains.userImport.created(run.id, 0)).to.have.length(3);
    });

    it('refuses rows that come again, are skipped or come after the end', async () => {
      await domains.userImport.addRows(run.id, rowsOf(users(2)), by);
      for (const [rows, code] of [
        [rowsOf(users(2)), 'conflict'],
        [rowsOf(users(1), 4), 'conflict'],
        [[...rowsOf(users(1), 3), ...rowsOf(users(1), 5)], 'invalid_input'],
      ] as const) {
        expect(refusal(await domains.userImport.addRows(run.id, rows, by).catch((error: unknown) => error))).to.equal(
          code,
        );
      }
      await domains.userImport.finish(run.id, by);
      const late = await domains.userImport.addRows(run.id, rowsOf(users(1), 3), by).catch((error: unknown) => error);
      expect(refusal(late)).to.equal('conflict');
      const unknown = await domains.userImport
        .addRows('imp_none', rowsOf(users(1)), by)
        .catch((error: unknown) => error);
      expect(refusal(unknown)).to.equal('not_found');
    });

    it('keeps nothing of a part that did not end, and the mark stays before it', async () => {
      const accounts = await count('account');
      const broken = database.transaction(async () => {
        await domains.userImport.addRows(run.id, rowsOf(users(3)), by);
        throw new Error('the power is out');
      });
      expect(await broken.catch((error: Error) => error.message)).to.equal('the power is out');
      expect(await count('account')).to.equal(accounts);
      const again = await begin(run.fileDigest, true);
      expect(again).to.deep.equal(run);
      await domains.userImport.addRows(run.id, rowsOf(users(3)), by);
      expect(await count('account')).to.equal(accounts + 3);
    });

    it('of a file that was begun goes on only when that is asked, with the same options', async () => {
      await domains.userImport.addRows(run.id, rowsOf(users(2)), by);
      const digest = run.fileDigest;
      const file = { name: 'renamed.csv', digest };
      const attempts = [
        () => domains.userImport.begin(file, settings),
        () => domains.userImport.begin(file, { ...settings, mustChange: true }, { resume: true }),
      ];
      for (const attempt of attempts)
        expect(refusal(await attempt().catch((error: unknown) => error))).to.equal('conflict');
      expect(await begin(digest, true)).to.include({ id: run.id, rowsDone: 2 });
      await domains.userImport.finish(run.id, by);
      expect((await begin(digest, true)).finishedAt).to.be.a('number');
      expect((await begin(digest)).id).not.to.equal(run.id);
    });

    it('begins one run for a file that twenty begin at once', async () => {
      const digest = randomText(20);
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => begin(digest)));
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    });

    it('refuses options about fields that there are not', async () => {
      const attempt = domains.userImport.begin({ name: 'x', digest: 'x' }, { ...settings, map: { shoe_size: 'x' } });
      const error = (await attempt.catch((reason: unknown) => reason)) as AppError;
      expect(error.code).to.equal('invalid_input');
      expect(error.details.fields?.map).to.contain('no field shoe_size');
    });

    it('checks rows without writing', async () => {
      await domains.userImport.addRows(run.id, rowsOf([{ email: `${mark}@x.example` }]), by);
      const tables = ['account', 'password', 'audit_event', 'user_import', 'user_import_row', 'outbox'];
      const before = await Promise.all(tables.map(count));
      const checks = await domains.userImport.checkRows(
        settings,
        rowsOf([
          { email: `${mark}@x.example` },
          { email: `${mark}-new@x.example`, shoe: 43, password_hash: foreignTexts['bcrypt 2b'] },
          { email: `${mark.toUpperCase()}-new@x.example` },
        ]),
      );
      expect(checks.map(({ fields }) => fields)).to.deep.equal([{ email: 'Another account has this email.' }, {}, {}]);
      expect(checks[1]).to.deep.include({ password: 'bcrypt', unused: ['shoe'] });
      expect(checks[1]?.names).to.deep.equal(checks[2]?.names);
      expect(await Promise.all(tables.map(count))).to.deep.equal(before);
    });

    it('leaves no old id behind when the account is purged', async () => {
      const { created } = await domains.userImport.addRows(run.id, rowsOf(users(2)), by);
      await database.sql('account').where({ id: created[0]!.accountId }).delete();
      expect((await domains.userImport.created(run.id, 0)).map(({ sourceId }) => sourceId)).to.deep.equal(['1']);
    });
  });
}
