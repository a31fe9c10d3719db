import { expect } from 'chai';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import { createCredentials, createPasswordHasher } from '../../src/credentials/index.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { type AccountId, newAccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { hasher, logger, oldSecret } from './fixture.ts';
import { codesOf, createPolicyFixture, defaults, type PolicyFixture } from './password-fixture.ts';

const day = 86_400;
const phrase = (word: string): string => `quiet green bicycle ${word}`;

for (const lane of sqlLanes()) {
  describe(`earlier passwords on ${lane}`, () => {
    let fixture: PolicyFixture;
    let id: AccountId;

    const historyOf = async (): Promise<string[]> =>
      (await fixture.database.sql('password_history').where({ account_id: id }).orderBy('seq', 'desc')).map(
        (row) => row.hash,
      );
    const presentHash = async (): Promise<string> =>
      (await fixture.database.sql('password').where({ account_id: id }).first('hash')).hash;

    beforeEach(async () => {
      fixture = await createPolicyFixture(lane);
      id = await fixture.newAccount();
    });

    it('do not come back while they are among the last so many', async () => {
      fixture.change({ history: 3 });
      for (const word of ['one', 'two', 'three', 'four']) {
        expect(await codesOf(fixture, phrase(word), { accountId: id })).to.deep.equal([]);
        await fixture.credentials.setPassword(id, phrase(word));
        expect(await codesOf(fixture, phrase(word), { accountId: id })).to.deep.equal(['used_before']);
      }
      expect(await codesOf(fixture, phrase('two'), { accountId: id })).to.deep.equal(['used_before']);
      expect(await codesOf(fixture, phrase('one'), { accountId: id })).to.deep.equal([]);
      expect(await codesOf(fixture, phrase('four'))).to.deep.equal([]);
      expect(await historyOf()).to.have.length(3);
    });

    it('are hashed as passwords are, and go with the account', async () => {
      fixture.change({ history: 3 });
      await fixture.credentials.setPassword(id, phrase('one'));
      await fixture.credentials.setPassword(id, phrase('two'));
      for (const hash of await historyOf()) expect(hash).to.match(/^\$argon2id\$/);
      await fixture.database.sql('account').where({ id }).delete();
      expect(await historyOf()).to.deep.equal([]);
    });

    it('are forgotten down to the present one by default, and remembered from there when the number grows', async () => {
      await fixture.credentials.setPassword(id, phrase('one'));
      await fixture.credentials.setPassword(id, phrase('two'));
      expect(await historyOf()).to.deep.equal([await presentHash()]);
      fixture.change({ history: 5 });
      await fixture.credentials.setPassword(id, phrase('three'));
      expect(await codesOf(fixture, phrase('two'), { accountId: id })).to.deep.equal(['used_before']);
      expect(await codesOf(fixture, phrase('one'), { accountId: id })).to.deep.equal([]);
    });

    it('stay whole under fifty changes at once, and the newest is the one that signs in', async () => {
      fixture.change({ history: 5 });
      const words = Array.from({ length: 50 }, (_, index) => phrase(`number ${index}`));
      await Promise.all(words.map((word) => fixture.credentials.setPassword(id, word)));
      const history = await historyOf();
      expect(new Set(history).size).to.equal(5);
      expect(history[0]).to.equal(await presentHash());
      const good = [];
      for (const word of words) if (await fixture.credentials.verifyPassword(id, word)) good.push(word);
      expect(good).to.have.length(1);
      expect(await codesOf(fixture, good[0]!, { accountId: id })).to.deep.equal(['used_before']);
    });

    it('cost one hash each, one after the other', async () => {
      fixture.change({ history: 4 });
      for (const word of ['one', 'two', 'three', 'four', 'five'])
        await fixture.credentials.setPassword(id, phrase(word));
      const hashed: string[] = [];
      let atOnce = 0;
      const policy = fixture.makePolicy({
        hasher: {
          ...hasher,
          async verify(phc, text) {
            atOnce += 1;
            expect(atOnce).to.equal(1);
            hashed.push(phc ?? '');
            const result = await hasher.verify(phc, text);
            atOnce -= 1;
            return result;
          },
        },
      });
      expect(await codesOf({ policy }, phrase('six'), { accountId: id })).to.deep.equal([]);
      expect(hashed).to.have.members(await historyOf());
      expect(hashed.splice(0)).to.have.length(4);
      expect(await codesOf({ policy }, 'short', { accountId: id })).to.include('too_short');
      expect(await codesOf({ policy }, phrase('six'))).to.deep.equal([]);
      expect(hashed).to.have.length(0);
    });

    it('leave no cheaper hash behind when the present one is made anew', async () => {
      fixture.change({ history: 3 });
      await fixture.credentials.setPassword(id, phrase('one'));
      await using stronger = createPasswordHasher({ memoryKiB: 512, passes: 1, workers: 1, queue: 9, logger });
      const later = createCredentials({
        store: createSqlCredentialStore(fixture.database),
        memory: { store: fixture.records, settingsFor: async () => defaults },
        clock: fixture.clock,
        audit: fixture.audit,
        secrets: new SecretRing([oldSecret]),
        hasher: stronger,
        issuerName: 'Sallyport',
        logger,
      });
      expect(await later.verifyPassword(id, phrase('one'))).to.equal(true);
      expect(await historyOf()).to.deep.equal([await presentHash()]);
      expect(await presentHash()).to.match(/m=512/);
    });

    it('are not kept of a change that fails', async () => {
      fixture.change({ history: 3 });
      await fixture.credentials.setPassword(id, phrase('one'));
      const before = await historyOf();
      await fixture.database
        .transaction(async () => {
          await fixture.credentials.setPassword(id, phrase('two'));
          throw new Error('undo');
        })
        .catch(() => undefined);
      expect(await historyOf()).to.deep.equal(before);
      expect(await fixture.credentials.verifyPassword(id, phrase('one'))).to.equal(true);
    });

    it('expire only where that is wanted, to the second', async () => {
      await fixture.credentials.setPassword(id, phrase('one'));
      fixture.clock.advance(4000 * day);
      expect(await fixture.policy.isExpired(id)).to.equal(false);
      fixture.change({ maxAgeDays: 90 });
      expect(await fixture.policy.isExpired(id)).to.equal(true);
      await fixture.credentials.setPassword(id, phrase('two'));
      fixture.clock.advance(90 * day - 1);
      expect(await fixture.policy.isExpired(id)).to.equal(false);
      fixture.clock.advance(1);
      expect(await fixture.policy.isExpired(id)).to.equal(true);
      expect(await fixture.policy.isExpired(newAccountId())).to.equal(false);
    });

    it('have to be changed when somebody else chose them, until they are', async () => {
      await fixture.credentials.setPassword(id, phrase('one'), { actor: { kind: 'operator' }, mustChange: true });
      expect(await fixture.policy.mustChange(id)).to.equal(true);
      expect(await fixture.credentials.verifyPassword(id, phrase('one'))).to.equal(true);
      expect(await fixture.policy.mustChange(id)).to.equal(true);
      await fixture.credentials.setPassword(id, phrase('two'));
      expect(await fixture.policy.mustChange(id)).to.equal(false);
    });

    it('can be marked later, which is audited', async () => {
      expect(await fixture.policy.requireChange(id)).to.equal(false);
      await fixture.credentials.setPassword(id, phrase('one'));
      expect(await fixture.policy.mustChange(id)).to.equal(false);
      expect(await fixture.policy.requireChange(id, { actor: { kind: 'operator' } })).to.equal(true);
      expect(await fixture.policy.mustChange(id)).to.equal(true);
      expect(await fixture.auditTypes(id)).to.have.members(['password.changed', 'password.change_required']);
    });

    it('are known to be too short alone, so that the last second factor is not removed from under them', async () => {
      await fixture.credentials.setPassword(id, 'vq7-xmd4');
      expect(await fixture.policy.isShortAlone(id)).to.equal(true);
      await fixture.credentials.setPassword(id, phrase('one'));
      expect(await fixture.policy.isShortAlone(id)).to.equal(false);
      expect(await fixture.policy.isShortAlone(newAccountId())).to.equal(false);
    });
  });
}
