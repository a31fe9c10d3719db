import { expect } from 'chai';
import { createPasswordHasher, type PasswordHasher } from '../../src/credentials/index.ts';
import { AppError } from '../../src/shared/errors.ts';
import { type AccountId, newAccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, hasher, logger } from './fixture.ts';

const storedHash = async ({ database }: Fixture, id: AccountId): Promise<string> =>
  (await database.sql('password').where({ account_id: id }).first('hash')).hash;

for (const lane of sqlLanes()) {
  describe(`passwords on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    it('match exactly, in either Unicode form, and replace one another', async () => {
      const { credentials, newAccount, auditTypes } = fixture;
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
      const { credentials, newAccount } = fixture;
      const id = await newAccount();
      const long = 'p'.repeat(256);
      await credentials.setPassword(id, long);
      expect(await credentials.verifyPassword(id, long)).to.equal(true);
      expect(await credentials.verifyPassword(id, `${long.slice(0, 255)}q`)).to.equal(false);
      expect(await credentials.verifyPassword(id, long.slice(0, 255))).to.equal(false);
    });

    it('of impossible length are refused before anything is hashed or changed', async () => {
      const { credentials, newAccount } = fixture;
      const id = await newAccount();
      for (const bad of ['', 'x'.repeat(257), 'x'.repeat(1_048_576), '\ud800']) {
        const error = await credentials.setPassword(id, bad).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(AppError).with.property('code', 'invalid_input');
        expect((error as AppError).details.fields).to.have.property('password');
      }
      expect((await credentials.factorsOf(id)).password).to.equal(false);
    });

    it('do not match without an account, without a password or with a broken hash', async () => {
      const { database, credentials, newAccount } = fixture;
      const id = await newAccount();
      expect(await credentials.verifyPassword(undefined, 'x')).to.equal(false);
      expect(await credentials.verifyPassword(newAccountId(), 'x')).to.equal(false);
      expect(await credentials.verifyPassword(id, 'x')).to.equal(false);
      await credentials.setPassword(id, 'x');
      await database.sql('password').where({ account_id: id }).update({ hash: 'x' });
      expect(await credentials.verifyPassword(id, 'x')).to.equal(false);
    });

    it('cost one hash whoever is asked for, and none when they are impossible', async () => {
      const { database, credentials, make, newAccount } = fixture;
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
      const { credentials, make, newAccount, auditTypes } = fixture;
      const id = await newAccount();
      await credentials.setPassword(id, 'open sesame');
      const before = await storedHash(fixture, id);
      await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 2, workers: 1, queue: 9, logger });
      const later = make({ hasher: stronger });
      expect(await later.verifyPassword(id, 'open')).to.equal(false);
      expect(await storedHash(fixture, id)).to.equal(before);
      expect(await later.verifyPassword(id, 'open sesame')).to.equal(true);
      const after = await storedHash(fixture, id);
      expect(after).to.match(/m=512,t=2,p=1/);
      expect(await later.verifyPassword(id, 'open sesame')).to.equal(true);
      expect(await storedHash(fixture, id)).to.equal(after);
      expect(await auditTypes(id)).to.have.members(['password.rehashed', 'password.changed']);
    });

    it('are not put back by a rehash that is overtaken by a change', async () => {
      const { credentials, make, newAccount } = fixture;
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
      const { credentials, make, newAccount } = fixture;
      const id = await newAccount();
      await credentials.setPassword(id, 'open sesame');
      const before = await storedHash(fixture, id);
      const full: PasswordHasher = {
        ...hasher,
        cost: { memoryKiB: 512, passes: 2 },
        hash: () => Promise.reject(new AppError('unavailable', 'full')),
      };
      expect(await make({ hasher: full }).verifyPassword(id, 'open sesame')).to.equal(true);
      expect(await storedHash(fixture, id)).to.equal(before);
    });
  });
}
