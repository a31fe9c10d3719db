import { expect } from 'chai';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import { createCredentialImport, createPasswordHasher, readForeignHash } from '../../src/credentials/index.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, logger, oldSecret } from './fixture.ts';
import { foreignPassword, foreignTexts, longBcrypt } from './foreign-hash-vectors.ts';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

for (const lane of sqlLanes()) {
  describe(`imported credentials on ${lane}`, () => {
    let fixture: Fixture;
    const importOf = ({ database, clock }: Fixture) =>
      createCredentialImport({
        store: createSqlCredentialStore(database),
        clock,
        secrets: new SecretRing([oldSecret]),
      });
    const hashOf = async (id: AccountId): Promise<string> =>
      (await fixture.database.sql('password').where({ account_id: id }).first('hash')).hash;

    async function withHash(given: string): Promise<AccountId> {
      const reading = readForeignHash(given);
      if (!reading.ok) throw new Error(reading.reason);
      const id = await fixture.newAccount();
      await importOf(fixture).setPasswordHash(id, reading.stored);
      return id;
    }

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    it('open the account once, and are argon2id of the typed password from then on', async () => {
      for (const [name, hash] of Object.entries(foreignTexts)) {
        const id = await withHash(hash);
        const before = await hashOf(id);
        expect(await fixture.credentials.verifyPassword(id, 'wrong'), name).to.equal(false);
        expect(await hashOf(id), name).to.equal(before);
        expect(await fixture.credentials.verifyPassword(id, foreignPassword), name).to.equal(true);
        expect(await hashOf(id), name).to.match(/^\$argon2id\$v=19\$m=256,t=1,p=1\$/);
        expect(await fixture.credentials.verifyPassword(id, foreignPassword), name).to.equal(true);
        expect(await fixture.auditTypes(id), name).to.deep.equal(['password.rehashed']);
      }
    });

    it('are replaced once by many sign-ins at the same moment, and never after a change of password', async () => {
      const id = await withHash(foreignTexts['bcrypt 2b'] ?? '');
      const many = Array.from({ length: 50 }, () => fixture.credentials.verifyPassword(id, foreignPassword));
      expect(new Set(await Promise.all(many))).to.deep.equal(new Set([true]));
      expect(await fixture.auditTypes(id)).to.deep.equal(['password.rehashed']);

      const other = await withHash(foreignTexts['bcrypt 2b'] ?? '');
      const onFile = await fixture.credentials.lookUp(other);
      await fixture.credentials.setPassword(other, 'chosen meanwhile');
      expect(await onFile.verifyPassword(foreignPassword)).to.equal(true);
      expect(await fixture.credentials.verifyPassword(other, foreignPassword)).to.equal(false);
      expect(await fixture.credentials.verifyPassword(other, 'chosen meanwhile')).to.equal(true);
    });

    it('stay when bcrypt did not see the end of the password, which could be anything', async () => {
      const id = await withHash(longBcrypt);
      expect(await fixture.credentials.verifyPassword(id, `${'a'.repeat(72)} and another end`)).to.equal(true);
      expect(await hashOf(id)).to.equal(longBcrypt);
      expect(await fixture.credentials.verifyPassword(id, 'a'.repeat(80))).to.equal(true);
      expect(await fixture.credentials.verifyPassword(id, 'a'.repeat(71))).to.equal(false);
    });

    it('have codes of the authenticator that was enrolled elsewhere, each once', async () => {
      const id = await fixture.newAccount();
      const secret = 'JBSWY3DPEHPK3PXP';
      await importOf(fixture).setTotp(id, secret);
      const { createGuardrails, generateSync } = await import('otplib');
      const guardrails = createGuardrails({ MIN_SECRET_BYTES: 10 });
      const code = generateSync({ secret, epoch: fixture.clock.now() / 1000, guardrails });
      const { totp } = fixture.credentials;
      expect(await totp.verify(id, code)).to.equal('accepted');
      expect(await totp.verify(id, code)).to.equal('used');
      const row = await fixture.database.sql('totp').where({ account_id: id }).first('secret');
      expect(row.secret).not.to.contain(secret);
    });
  });
}

describe('the time of a wrong password', () => {
  it('is no shorter for a cheap foreign hash than for nobody', async function measure() {
    this.timeout(60_000);
    await using hasher = createPasswordHasher({ memoryKiB: 19_456, passes: 2, workers: 1, queue: 5, logger });
    const reading = readForeignHash(foreignTexts['Django sha1'] ?? '');
    const sha = reading.ok ? reading.stored : '';
    const times: Record<'nobody' | 'sha', number[]> = { nobody: [], sha: [] };
    await hasher.verify(undefined, 'warm');
    await hasher.verify(sha, 'warm');
    for (let round = 0; round < 15; round += 1) {
      for (const [name, hash] of [
        ['nobody', undefined],
        ['sha', sha],
      ] as const) {
        const started = performance.now();
        await hasher.verify(hash, 'wrong');
        times[name].push(performance.now() - started);
      }
    }
    // Far apart when the work is missing (a hundred times), near when it is there; the machine is noisy.
    expect(median(times.sha)).to.be.within(median(times.nobody) / 2, median(times.nobody) * 2);
  });
});
