import { expect } from 'chai';
import type { AccountId } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, newSecret, oldSecret } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`authenticator apps on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    const enrol = async (id: AccountId): Promise<string> => {
      const { credentials, codeAt } = fixture;
      const { secret } = await credentials.totp.begin(id, 'alex@example.com');
      expect(await credentials.totp.confirm(id, codeAt(secret, -1))).to.equal(true);
      return secret;
    };

    it('count only after a right code, which then is used', async () => {
      const { credentials, newAccount, codeAt, auditTypes } = fixture;
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
      const { clock, credentials, newAccount, codeAt } = fixture;
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
      const { clock, credentials, newAccount, codeAt } = fixture;
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
      const { clock, credentials, newAccount, codeAt } = fixture;
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
      const { clock, credentials, newAccount, codeAt } = fixture;
      const id = await newAccount();
      const secret = await enrol(id);
      clock.advance(60);
      const code = codeAt(secret);
      const results = await Promise.all(Array.from({ length: 50 }, () => credentials.totp.verify(id, code)));
      expect(results.filter((result) => result === 'accepted')).to.have.length(1);
      expect(results.filter((result) => result === 'used')).to.have.length(49);
    });

    it('enrol once when one code confirms fifty times at the same time', async () => {
      const { credentials, newAccount, codeAt, auditTypes } = fixture;
      const id = await newAccount();
      const { secret } = await credentials.totp.begin(id, 'l');
      const code = codeAt(secret);
      const results = await Promise.all(Array.from({ length: 50 }, () => credentials.totp.confirm(id, code)));
      expect(results.filter((confirmed) => confirmed)).to.have.length(1);
      expect(await auditTypes(id)).to.deep.equal(['second_factor.enrolled']);
    });

    it('are sealed at rest, bound to their account, and sealed anew with a newer secret when used', async () => {
      const { database, clock, make, newAccount, codeAt } = fixture;
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
      const { clock, credentials, newAccount, codeAt, auditTypes } = fixture;
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
}
