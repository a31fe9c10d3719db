import { expect } from 'chai';
import { createPasswordHasher } from '../../src/credentials/index.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, logger } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`backup codes on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    it('are ten, work once each in any form, and are stored hashed', async () => {
      const { database, credentials, newAccount, auditTypes } = fixture;
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
      const { credentials, newAccount } = fixture;
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
      const { credentials, make, newAccount } = fixture;
      const id = await newAccount();
      const [code] = await credentials.backupCodes.create(id);
      await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 2, workers: 1, queue: 9, logger });
      expect(await make({ hasher: stronger }).backupCodes.use(id, code!)).to.equal(true);
    });

    it('work once in fifty tries at the same time', async () => {
      const { credentials, newAccount, auditTypes } = fixture;
      const id = await newAccount();
      const [code] = await credentials.backupCodes.create(id);
      const results = await Promise.all(Array.from({ length: 50 }, () => credentials.backupCodes.use(id, code!)));
      expect(results.filter((used) => used)).to.have.length(1);
      expect((await credentials.factorsOf(id)).backupCodes).to.equal(9);
      expect((await auditTypes(id)).filter((type) => type === 'backup_code.used')).to.have.length(1);
    });

    it('are spent by one of fifty who know the hash', async () => {
      const { credentials, newAccount } = fixture;
      const id = await newAccount();
      const [code] = await credentials.backupCodes.create(id);
      const hash = await credentials.backupCodes.match(id, code!);
      const results = await Promise.all(Array.from({ length: 50 }, () => credentials.backupCodes.spend(id, hash!)));
      expect(results.filter((spent) => spent)).to.have.length(1);
    });

    it('leave one whole set when many are made at the same time', async () => {
      const { credentials, newAccount } = fixture;
      const id = await newAccount();
      const sets = await Promise.all(Array.from({ length: 8 }, () => credentials.backupCodes.create(id)));
      expect((await credentials.factorsOf(id)).backupCodes).to.equal(10);
      const alive = await Promise.all(
        sets.map(async ([code]) => Number((await credentials.backupCodes.match(id, code!)) !== undefined)),
      );
      expect(alive.reduce((sum, one) => sum + one)).to.equal(1);
    });

    it('go when the account goes', async () => {
      const { database, credentials, newAccount } = fixture;
      const id = await newAccount();
      await credentials.setPassword(id, 'x');
      await credentials.totp.begin(id, 'l');
      await credentials.backupCodes.create(id);
      await database.sql('account').where({ id }).delete();
      expect(await credentials.factorsOf(id)).to.deep.equal({ password: false, totp: false, backupCodes: 0 });
    });
  });
}
