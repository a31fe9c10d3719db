import { expect } from 'chai';
import { type CodeKey, type CodeOutcome, codePolicy } from '../../src/one-time-secrets/index.ts';
import { AppError } from '../../src/shared/errors.ts';
import { type AccountId, newAccountId, randomText } from '../../src/shared/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { sqlLanes, testDatabase } from '../support/database.ts';
import { count, createFixture, fifty, oldSecret } from './fixture.ts';

const lifeSeconds = 600;
const newKey = (accountId: AccountId = newAccountId()): CodeKey => ({
  purpose: 'sign-in',
  binding: `flow_${randomText(12)}`,
  accountId,
});
/** Eight digits that are not these. */
const other = (code: string): string => String((Number(code) + 1) % 100_000_000).padStart(8, '0');

for (const lane of sqlLanes()) {
  describe(`one-time codes on ${lane}`, () => {
    let database: Database;

    before(async () => {
      database = await testDatabase(lane);
    });

    it('are eight digits, work once, and are forgiving about how they are typed', async () => {
      const { codes, clock } = createFixture(database);
      for (const typed of [(code: string) => code, (code: string) => ` ${code.slice(0, 4)} ${code.slice(4)}-`]) {
        const key = newKey();
        const { code, expiresAt } = await codes.create({ ...key, lifeSeconds });
        expect(code).to.match(/^\d{8}$/);
        expect(expiresAt).to.equal(clock.now() + 600_000);
        expect(await codes.use({ ...key, code: typed(code) })).to.equal('accepted');
        expect(await codes.use({ ...key, code })).to.equal('expired');
      }
    });

    it('use all the numbers there are', async () => {
      const wide = { quota: { max: 1000, windowSeconds: 60 } };
      const { codes } = createFixture(database, { policy: wide });
      const key = newKey();
      const made: string[] = [];
      for (let index = 0; index < 150; index += 1) made.push((await codes.create({ ...key, lifeSeconds })).code);
      expect(new Set(made).size).to.be.at.least(149);
      expect(new Set(made.map((code) => code[0])).size, 'first digits, zero among them').to.equal(10);
    });

    it('are not in the database, and are another value there for each key and secret', async () => {
      const { codes } = createFixture(database);
      const keys = [newKey(), newKey(), newKey()];
      const made = await Promise.all(keys.map((key) => codes.create({ ...key, lifeSeconds })));
      const rows = await database.sql('one_time_code').whereIn(
        'binding',
        keys.map(({ binding }) => binding),
      );
      expect(rows).to.have.length(3);
      for (const { code } of made) expect(JSON.stringify(rows)).not.to.include(code);
      // What was stored for one sign-in opens no other, although whoever wrote it there knows its code.
      const mac = rows.find(({ binding }) => binding === keys[0]?.binding)?.code_mac;
      await database.sql('one_time_code').where({ binding: keys[1]?.binding }).update({ code_mac: mac });
      expect(await codes.use({ ...keys[1]!, code: made[0]!.code })).to.equal('wrong');
    });

    it('survive a new secret of the installation, and not the loss of the old one', async () => {
      const { codes, clock } = createFixture(database);
      const [first, second] = [newKey(), newKey()];
      const made = [await codes.create({ ...first, lifeSeconds }), await codes.create({ ...second, lifeSeconds })];
      const fresh = 'another-test-secret-another-test-secret';
      const lost = createFixture(database, { secrets: [fresh], clock });
      expect(await lost.codes.use({ ...first, code: made[0]!.code })).to.equal('wrong');
      const rotated = createFixture(database, { secrets: [fresh, oldSecret], clock });
      expect(await rotated.codes.use({ ...second, code: made[1]!.code })).to.equal('accepted');
    });

    it('are worth nothing in another sign-in, for another purpose or account', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const { code } = await codes.create({ ...key, lifeSeconds });
      const wrong = [
        { ...key, binding: 'flow_other' },
        { ...key, purpose: 'verify-phone' },
        { ...key, accountId: newAccountId() },
      ];
      for (const elsewhere of wrong) {
        expect(await codes.use({ ...elsewhere, code })).to.equal('expired');
        await codes.create({ ...elsewhere, lifeSeconds });
        expect(await codes.use({ ...elsewhere, code })).to.equal('wrong');
      }
      expect(await codes.use({ ...key, code })).to.equal('accepted');
    });

    it('have five tries, the fifth may be right, and after five wrong ones the right code is too late', async () => {
      const { codes } = createFixture(database);
      const [lucky, late] = [newKey(), newKey()];
      const [luckyCode, lateCode] = [
        (await codes.create({ ...lucky, lifeSeconds })).code,
        (await codes.create({ ...late, lifeSeconds })).code,
      ];
      for (let index = 0; index < 4; index += 1) {
        expect(await codes.use({ ...lucky, code: other(luckyCode) })).to.equal('wrong');
      }
      expect(await codes.use({ ...lucky, code: luckyCode })).to.equal('accepted');
      for (let index = 0; index < 5; index += 1) {
        expect(await codes.use({ ...late, code: other(lateCode) })).to.equal('wrong');
      }
      expect(await codes.use({ ...late, code: lateCode })).to.equal('too_many');
      expect(await codes.use({ ...late, code: lateCode })).to.equal('too_many');
    });

    it('count five of 50 wrong tries at once', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const { code } = await codes.create({ ...key, lifeSeconds });
      const outcomes = await fifty(() => codes.use({ ...key, code: other(code) }));
      expect([count(outcomes, 'wrong'), count(outcomes, 'too_many')]).to.deep.equal([5, 45]);
      expect(await codes.use({ ...key, code })).to.equal('too_many');
    });

    it('let one of 50 right tries in', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const { code } = await codes.create({ ...key, lifeSeconds });
      const outcomes = await fifty(() => codes.use({ ...key, code }));
      expect(count(outcomes, 'accepted')).to.equal(1);
      expect(count<CodeOutcome>(outcomes, 'expired') + count<CodeOutcome>(outcomes, 'too_many')).to.equal(49);
    });

    it('take no try for what is not eight digits', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const { code } = await codes.create({ ...key, lifeSeconds });
      const bad = [
        '',
        code.slice(1),
        `${code}0`,
        `${code.slice(0, 7)}x`,
        '１２３４５６７８',
        '٠١٢٣٤٥٦٧',
        "' or 1",
        '-1234567.',
      ];
      for (const text of [...bad, '9'.repeat(100_000)]) {
        expect(await codes.use({ ...key, code: text }), text.slice(0, 20)).to.equal('wrong');
      }
      expect(await codes.use({ ...key, code })).to.equal('accepted');
    });

    it('keep the count of tries when the request fails afterwards', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const { code } = await codes.create({ ...key, lifeSeconds });
      for (let index = 0; index < 5; index += 1) {
        const guess = () => codes.use({ ...key, code: other(code) });
        await database.unitOfWork(Date.now(), guess, () => false);
      }
      expect(await codes.use({ ...key, code })).to.equal('too_many');
    });

    it('end at the second of their expiry, ten minutes at most', async () => {
      const { codes, clock } = createFixture(database);
      const [intime, late] = [newKey(), newKey()];
      const made = await Promise.all([intime, late].map((key) => codes.create({ ...key, lifeSeconds: 60 })));
      clock.advance(59);
      expect(await codes.use({ ...intime, code: made[0]!.code })).to.equal('accepted');
      clock.advance(1);
      expect(await codes.use({ ...late, code: made[1]!.code })).to.equal('expired');
      for (const life of [0, -1, 601, Number.NaN]) {
        const failed = await codes.create({ ...newKey(), lifeSeconds: life }).catch((error: unknown) => error);
        expect(failed, String(life)).to.be.instanceOf(RangeError);
      }
    });

    it('replace the one before, with all its tries, and leave other sign-ins alone', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const elsewhere = { ...key, binding: 'flow_elsewhere' };
      const there = await codes.create({ ...elsewhere, lifeSeconds });
      const first = await codes.create({ ...key, lifeSeconds });
      for (let index = 0; index < 5; index += 1) await codes.use({ ...key, code: other(first.code) });
      const second = await codes.create({ ...key, lifeSeconds });
      if (first.code !== second.code) expect(await codes.use({ ...key, code: first.code })).to.equal('wrong');
      expect(await codes.use({ ...key, code: second.code })).to.equal('accepted');
      expect(await codes.use({ ...elsewhere, code: there.code })).to.equal('accepted');
    });

    it('are made five times in any hour, in whatever sign-ins, and no try comes from a refused one', async () => {
      const { codes, clock } = createFixture(database);
      const accountId = newAccountId();
      const create = () => codes.create({ ...newKey(accountId), lifeSeconds });
      const refusal = async (): Promise<AppError> => {
        const error = await create().catch((thrown: unknown) => thrown);
        if (!(error instanceof AppError)) throw new Error('it was not refused');
        return error;
      };
      const { max, windowSeconds } = codePolicy.quota;
      for (let index = 0; index < max; index += 1) {
        await create();
        clock.advance(100);
      }
      expect(await refusal()).to.deep.include({ code: 'rate_limited', details: { retryAfter: windowSeconds - 500 } });
      clock.advance(windowSeconds - 501);
      expect((await refusal()).details.retryAfter, 'a second before').to.equal(1);
      clock.advance(1);
      await create();
      expect((await refusal()).details.retryAfter, 'the second one ends its hour').to.equal(100);
      await codes.create({ ...newKey(accountId), purpose: 'verify-phone', lifeSeconds });
      await codes.create({ ...newKey(), lifeSeconds });
    });

    it('are made five times when 50 ask at once, and give 25 tries, not more', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const asked = await fifty(() => codes.create({ ...key, lifeSeconds }).catch((error: AppError) => error.code));
      expect(count<unknown>(asked, 'rate_limited')).to.equal(45);
      const outcomes = await fifty(() => codes.use({ ...key, code: '00000000' }));
      expect(count(outcomes, 'wrong')).to.equal(5);
    });

    it('count nothing when the action that asked for them is undone', async () => {
      const { codes } = createFixture(database);
      const key = newKey();
      const create = () => codes.create({ ...key, lifeSeconds });
      for (let index = 0; index < 10; index += 1) {
        const undone = database.transaction(async () => {
          await create();
          throw new Error('the action failed');
        });
        await undone.catch(() => undefined);
      }
      const { code } = await create();
      expect(await codes.use({ ...key, code })).to.equal('accepted');
    });

    it('end with their account, and are deleted when they are over', async () => {
      const { codes, purge, clock } = createFixture(database);
      const [mine, old, fresh] = [newKey(), newKey(), newKey()];
      const { code } = await codes.create({ ...mine, lifeSeconds });
      expect(await codes.revokeAll(mine.accountId)).to.equal(1);
      expect(await codes.use({ ...mine, code })).to.equal('expired');
      await codes.create({ ...old, lifeSeconds });
      clock.advance(3_599);
      await purge();
      const rows = (table: string) =>
        database.sql(table).whereIn('account_id', [old.accountId, fresh.accountId]).pluck('account_id');
      expect(await rows('one_time_code')).to.deep.equal([]);
      expect(await rows('one_time_code_quota'), 'counts still').to.deep.equal([old.accountId]);
      await codes.create({ ...fresh, lifeSeconds });
      clock.advance(1);
      await purge();
      expect(await rows('one_time_code')).to.deep.equal([fresh.accountId]);
      expect(await rows('one_time_code_quota')).to.deep.equal([fresh.accountId]);
    });
  });
}
