import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { generateSync } from 'otplib';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { type AuditLog, createAuditLog } from '../../src/audit/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import {
  type Credentials,
  createCredentials,
  createPasswordHasher,
  type PasswordHasher,
} from '../../src/credentials/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { AppError } from '../../src/shared/errors.ts';
import { type AccountId, newAccountId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';

const logger = silentLogger();
const cheap = { memoryKiB: 256, passes: 1 };
const oldSecret = 'a'.repeat(40);
const newSecret = 'b'.repeat(40);

for (const lane of sqlLanes()) {
  describe(`credentials on ${lane}`, () => {
    let database: Database;
    let clock: FixedClock;
    let audit: AuditLog;
    let hasher: PasswordHasher;
    let credentials: Credentials;

    const make = (change: { hasher?: PasswordHasher; secrets?: readonly string[] } = {}): Credentials =>
      createCredentials({
        store: createSqlCredentialStore(database),
        clock,
        audit,
        secrets: new SecretRing(change.secrets ?? [oldSecret]),
        hasher: change.hasher ?? hasher,
        issuerName: 'Sallyport',
        logger,
      });

    const newAccount = async (): Promise<AccountId> => {
      const id = newAccountId();
      const email = `${randomBytes(6).toString('hex')}@example.com`;
      const now = new Date(clock.now());
      await database
        .sql('account')
        .insert({ id, email, email_key: email, status: 'active', created_at: now, updated_at: now });
      return id;
    };

    const storedHash = async (id: AccountId): Promise<string> =>
      (await database.sql('password').where({ account_id: id }).first('hash')).hash;
    const auditTypes = async (id: AccountId): Promise<string[]> =>
      (await audit.list({ subject: id, limit: 50 })).map(({ type }) => type);
    const codeAt = (secret: string, offset = 0): string =>
      generateSync({ secret, epoch: clock.now() / 1000 + offset * 30 });

    before(async () => {
      database = await testDatabase(lane);
      hasher = createPasswordHasher({ ...cheap, workers: 2, queue: 200, logger });
    });
    after(() => hasher[Symbol.asyncDispose]());

    beforeEach(() => {
      clock = new FixedClock();
      audit = createAuditLog(createSqlAuditStore(database), clock);
      credentials = make();
    });

    describe('passwords', () => {
      it('match exactly, in either Unicode form, and replace one another', async () => {
        const id = await newAccount();
        await credentials.setPassword(id, 'caf\u00e9 at the gate');
        expect(await credentials.verifyPassword(id, 'cafe\u0301 at the gate')).to.equal(true);
        for (const wrong of ['CAF\u00c9 at the gate', 'caf\u00e9 at the gate ', 'caf\u00e9', '']) {
          expect(await credentials.verifyPassword(id, wrong), wrong).to.equal(false);
        }
        await credentials.setPassword(id, 'another');
        expect(await credentials.verifyPassword(id, 'caf\u00e9 at the gate')).to.equal(false);
        expect(await credentials.verifyPassword(id, 'another')).to.equal(true);
        expect(await auditTypes(id)).to.deep.equal(['password.changed', 'password.changed']);
      });

      it('count to the last character', async () => {
        const id = await newAccount();
        const long = 'p'.repeat(256);
        await credentials.setPassword(id, long);
        expect(await credentials.verifyPassword(id, long)).to.equal(true);
        expect(await credentials.verifyPassword(id, `${long.slice(0, 255)}q`)).to.equal(false);
        expect(await credentials.verifyPassword(id, long.slice(0, 255))).to.equal(false);
      });

      it('of impossible length are refused before anything is hashed or changed', async () => {
        const id = await newAccount();
        for (const bad of ['', 'x'.repeat(257), 'x'.repeat(1_048_576), '\ud800']) {
          const error = await credentials.setPassword(id, bad).catch((reason: unknown) => reason);
          expect(error).to.be.instanceOf(AppError).with.property('code', 'invalid_input');
          expect((error as AppError).details.fields).to.have.property('password');
        }
        expect((await credentials.factorsOf(id)).password).to.equal(false);
      });

      it('do not match without an account, without a password or with a broken hash', async () => {
        const id = await newAccount();
        expect(await credentials.verifyPassword(undefined, 'x')).to.equal(false);
        expect(await credentials.verifyPassword(newAccountId(), 'x')).to.equal(false);
        expect(await credentials.verifyPassword(id, 'x')).to.equal(false);
        await credentials.setPassword(id, 'x');
        await database.sql('password').where({ account_id: id }).update({ hash: 'x' });
        expect(await credentials.verifyPassword(id, 'x')).to.equal(false);
      });

      it('cost one hash whoever is asked for, and none when they are impossible', async () => {
        const [withPassword, without, broken] = [await newAccount(), await newAccount(), await newAccount()];
        await credentials.setPassword(withPassword, 'open sesame');
        await credentials.setPassword(broken, 'open sesame');
        await database.sql('password').where({ account_id: broken }).update({ hash: 'x' });
        const asked: (string | undefined)[] = [];
        const spy: PasswordHasher = {
          ...hasher,
          verify(phc, text) {
            asked.push(phc);
            return hasher.verify(phc, text);
          },
        };
        const watched = make({ hasher: spy });
        for (const id of [withPassword, without, broken, newAccountId(), undefined]) {
          expect(await watched.verifyPassword(id, 'wrong')).to.equal(false);
          expect(asked.splice(0)).to.have.length(1);
        }
        await watched.verifyPassword(withPassword, 'x'.repeat(300));
        expect(asked).to.have.length(0);
      });

      it('are hashed anew at the sign-in after the cost changed, and not by a wrong one', async () => {
        const id = await newAccount();
        await credentials.setPassword(id, 'open sesame');
        const before = await storedHash(id);
        await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 2, workers: 1, queue: 9, logger });
        const later = make({ hasher: stronger });
        expect(await later.verifyPassword(id, 'open')).to.equal(false);
        expect(await storedHash(id)).to.equal(before);
        expect(await later.verifyPassword(id, 'open sesame')).to.equal(true);
        const after = await storedHash(id);
        expect(after).to.match(/m=512,t=2,p=1/);
        expect(await later.verifyPassword(id, 'open sesame')).to.equal(true);
        expect(await storedHash(id)).to.equal(after);
        expect(await auditTypes(id)).to.have.members(['password.rehashed', 'password.changed']);
      });

      it('are not put back by a rehash that is overtaken by a change', async () => {
        const id = await newAccount();
        await credentials.setPassword(id, 'old one');
        await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 2, workers: 1, queue: 9, logger });
        const slow: PasswordHasher = {
          ...stronger,
          async hash(text) {
            await credentials.setPassword(id, 'new one');
            return stronger.hash(text);
          },
        };
        expect(await make({ hasher: slow }).verifyPassword(id, 'old one')).to.equal(true);
        expect(await credentials.verifyPassword(id, 'old one')).to.equal(false);
        expect(await credentials.verifyPassword(id, 'new one')).to.equal(true);
      });

      it('still sign in when there is no room for the rehash', async () => {
        const id = await newAccount();
        await credentials.setPassword(id, 'open sesame');
        const before = await storedHash(id);
        const full: PasswordHasher = {
          ...hasher,
          cost: { memoryKiB: 512, passes: 2 },
          hash: () => Promise.reject(new AppError('unavailable', 'full')),
        };
        expect(await make({ hasher: full }).verifyPassword(id, 'open sesame')).to.equal(true);
        expect(await storedHash(id)).to.equal(before);
      });
    });

    describe('authenticator apps', () => {
      const enrol = async (id: AccountId): Promise<string> => {
        const { secret } = await credentials.totp.begin(id, 'alex@example.com');
        expect(await credentials.totp.confirm(id, codeAt(secret, -1))).to.equal(true);
        return secret;
      };

      it('count only after a right code, which then is used', async () => {
        const id = await newAccount();
        const { secret, uri } = await credentials.totp.begin(id, 'alex@example.com');
        expect(uri).to.contain(secret).and.contain('alex%40example.com');
        expect((await credentials.factorsOf(id)).totp).to.equal(false);
        expect(await credentials.totp.verify(id, codeAt(secret))).to.equal('wrong');
        expect(await credentials.totp.confirm(id, '000000')).to.equal(false);
        const code = codeAt(secret);
        expect(await credentials.totp.check(id, code)).to.equal('accepted');
        expect(await credentials.totp.confirm(id, code)).to.equal(true);
        expect((await credentials.factorsOf(id)).totp).to.equal(true);
        expect(await credentials.totp.verify(id, code)).to.equal('used');
        expect(await credentials.totp.confirm(id, code)).to.equal(false);
        expect(await auditTypes(id)).to.deep.equal(['second_factor.enrolled']);
      });

      it('show the same secret until it is confirmed or 10 minutes are over, to its own binding only', async () => {
        const id = await newAccount();
        const first = await credentials.totp.begin(id, 'l', { binding: 'flow-1' });
        clock.advance(599);
        expect(await credentials.totp.begin(id, 'l', { binding: 'flow-1' })).to.deep.equal(first);
        const other = await credentials.totp.begin(id, 'l', { binding: 'flow-2' });
        expect(other.secret).to.not.equal(first.secret);
        expect(await credentials.totp.confirm(id, codeAt(first.secret), { binding: 'flow-2' })).to.equal(false);
        clock.advance(1);
        expect(await credentials.totp.check(id, codeAt(first.secret), { binding: 'flow-1' })).to.equal('expired');
        expect(await credentials.totp.confirm(id, codeAt(first.secret), { binding: 'flow-1' })).to.equal(false);
        expect((await credentials.totp.begin(id, 'l', { binding: 'flow-1' })).secret).to.not.equal(first.secret);
        clock.advance(601);
        expect(await credentials.purge()).to.be.at.least(2);
      });

      it('are replaced without a gap, and not when only the first may be enrolled', async () => {
        const id = await newAccount();
        const secret = await enrol(id);
        const next = await credentials.totp.begin(id, 'l');
        expect(await credentials.totp.verify(id, codeAt(secret))).to.equal('accepted');
        expect(await credentials.totp.confirm(id, codeAt(next.secret), { onlyFirst: true })).to.equal(false);
        const again = await credentials.totp.begin(id, 'l');
        expect(await credentials.totp.confirm(id, codeAt(again.secret))).to.equal(true);
        clock.advance(60);
        expect(await credentials.totp.verify(id, codeAt(secret))).to.equal('wrong');
        expect(await credentials.totp.verify(id, codeAt(again.secret))).to.equal('accepted');
      });

      it('accept every code once and none that is older than the last one', async () => {
        const id = await newAccount();
        const secret = await enrol(id);
        clock.advance(300);
        const [previous, now, next] = [codeAt(secret, -1), codeAt(secret), codeAt(secret, 1)];
        expect(await credentials.totp.verify(id, now)).to.equal('accepted');
        expect(await credentials.totp.verify(id, now)).to.equal('used');
        expect(await credentials.totp.verify(id, previous)).to.equal('used');
        expect(await credentials.totp.verify(id, next)).to.equal('accepted');
        clock.advance(30);
        expect(await credentials.totp.verify(id, next)).to.equal('used');
      });

      it('accept one of fifty tries with one code at the same time', async () => {
        const id = await newAccount();
        const secret = await enrol(id);
        clock.advance(60);
        const code = codeAt(secret);
        const results = await Promise.all(Array.from({ length: 50 }, () => credentials.totp.verify(id, code)));
        expect(results.filter((result) => result === 'accepted')).to.have.length(1);
        expect(results.filter((result) => result === 'used')).to.have.length(49);
      });

      it('enrol once when one code confirms fifty times at the same time', async () => {
        const id = await newAccount();
        const { secret } = await credentials.totp.begin(id, 'l');
        const code = codeAt(secret);
        const results = await Promise.all(Array.from({ length: 50 }, () => credentials.totp.confirm(id, code)));
        expect(results.filter((confirmed) => confirmed)).to.have.length(1);
        expect(await auditTypes(id)).to.deep.equal(['second_factor.enrolled']);
      });

      it('are sealed at rest, bound to their account, and sealed anew with a newer secret when used', async () => {
        const id = await newAccount();
        const secret = await enrol(id);
        const row = await database.sql('totp').where({ account_id: id }).first();
        expect(JSON.stringify(row)).to.not.contain(secret);
        clock.advance(60);
        const rotated = make({ secrets: [newSecret, oldSecret] });
        expect(await rotated.totp.verify(id, codeAt(secret))).to.equal('accepted');
        clock.advance(60);
        expect(await make({ secrets: [newSecret] }).totp.verify(id, codeAt(secret))).to.equal('accepted');
        const thief = await newAccount();
        const stolen = await database.sql('totp').where({ account_id: id }).first('secret');
        await database.sql('totp').insert({ account_id: thief, ...stolen, last_step: 0, enrolled_at: new Date() });
        const error = await make({ secrets: [newSecret] })
          .totp.verify(thief, codeAt(secret))
          .catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(Error);
      });

      it('take the backup codes with them', async () => {
        const id = await newAccount();
        const secret = await enrol(id);
        const [code] = await credentials.backupCodes.create(id);
        await credentials.totp.remove(id);
        expect(await credentials.factorsOf(id)).to.deep.equal({ password: false, totp: false, backupCodes: 0 });
        clock.advance(60);
        expect(await credentials.totp.verify(id, codeAt(secret))).to.equal('wrong');
        expect(await credentials.backupCodes.use(id, code!)).to.equal(false);
        expect(await auditTypes(id)).to.include('second_factor.removed');
      });
    });

    describe('backup codes', () => {
      it('are ten, work once each in any form, and are stored hashed', async () => {
        const id = await newAccount();
        const codes = await credentials.backupCodes.create(id);
        expect(new Set(codes).size).to.equal(10);
        const row = JSON.stringify(await database.sql('backup_codes').where({ account_id: id }).first());
        for (const code of codes) expect(row).to.not.contain(code).and.not.contain(code.replaceAll('-', ''));
        for (const [index, code] of codes.entries()) {
          expect(await credentials.backupCodes.use(id, code.toUpperCase().replaceAll('-', ' '))).to.equal(true);
          expect(await credentials.backupCodes.use(id, code)).to.equal(false);
          expect((await credentials.factorsOf(id)).backupCodes).to.equal(9 - index);
        }
        expect(await auditTypes(id)).to.have.length(11);
      });

      it('of one account or an older set are worth nothing elsewhere', async () => {
        const [one, other] = [await newAccount(), await newAccount()];
        const [code] = await credentials.backupCodes.create(one);
        await credentials.backupCodes.create(other);
        expect(await credentials.backupCodes.use(other, code!)).to.equal(false);
        await credentials.backupCodes.create(one);
        expect(await credentials.backupCodes.use(one, code!)).to.equal(false);
        for (const junk of ['', 'nonsense', '0000-0000-0000-0000']) {
          expect(await credentials.backupCodes.use(one, junk), junk).to.equal(false);
        }
      });

      it('go on working when the cost of new hashes changes', async () => {
        const id = await newAccount();
        const [code] = await credentials.backupCodes.create(id);
        await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 2, workers: 1, queue: 9, logger });
        expect(await make({ hasher: stronger }).backupCodes.use(id, code!)).to.equal(true);
      });

      it('work once in fifty tries at the same time', async () => {
        const id = await newAccount();
        const [code] = await credentials.backupCodes.create(id);
        const results = await Promise.all(Array.from({ length: 50 }, () => credentials.backupCodes.use(id, code!)));
        expect(results.filter((used) => used)).to.have.length(1);
        expect((await credentials.factorsOf(id)).backupCodes).to.equal(9);
        expect((await auditTypes(id)).filter((type) => type === 'backup_code.used')).to.have.length(1);
      });

      it('are spent by one of fifty who know the hash', async () => {
        const id = await newAccount();
        const [code] = await credentials.backupCodes.create(id);
        const hash = await credentials.backupCodes.match(id, code!);
        const results = await Promise.all(Array.from({ length: 50 }, () => credentials.backupCodes.spend(id, hash!)));
        expect(results.filter((spent) => spent)).to.have.length(1);
      });

      it('leave one whole set when many are made at the same time', async () => {
        const id = await newAccount();
        const sets = await Promise.all(Array.from({ length: 8 }, () => credentials.backupCodes.create(id)));
        expect((await credentials.factorsOf(id)).backupCodes).to.equal(10);
        const alive = await Promise.all(
          sets.map(async ([code]) => Number((await credentials.backupCodes.match(id, code!)) !== undefined)),
        );
        expect(alive.reduce((sum, one) => sum + one)).to.equal(1);
      });
    });

    it('go when the account goes', async () => {
      const id = await newAccount();
      await credentials.setPassword(id, 'x');
      await credentials.totp.begin(id, 'l');
      await credentials.backupCodes.create(id);
      await database.sql('account').where({ id }).delete();
      expect(await credentials.factorsOf(id)).to.deep.equal({ password: false, totp: false, backupCodes: 0 });
    });
  });
}
