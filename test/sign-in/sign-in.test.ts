import { expect } from 'chai';
import { sha256 } from '../../src/shared/crypto.ts';
import { asClientId, randomText } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, password, stepOf } from './fixture.ts';

const app = asClientId('app_test');
const noFactors = { password: false, totp: false, backupCodes: 0 };

for (const lane of sqlLanes()) {
  describe(`a sign-in on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    it('takes a password, by username or email, and finishes once', async () => {
      const { signIn, clock, flow, person, submit, history } = fixture;
      const alex = await person();
      const id = await flow();
      expect(await signIn.view(id)).to.deep.equal({ step: 'password', factors: noFactors });
      const result = await signIn.submitPassword(
        id,
        { login: ` ${alex.account.email.toUpperCase()} `, password },
        meta,
      );
      expect(result).to.have.property('outcome', 'accepted');
      expect(result.view).to.include({ step: 'done' });
      expect(result.view?.account).to.deep.equal({ id: alex.account.id, label: alex.account.email });
      const at = clock.now() / 1000;
      clock.advance(20);
      const finished = await signIn.finish(id);
      expect(finished).to.deep.equal({
        accountId: alex.account.id,
        clientId: finished.clientId,
        amr: ['pwd'],
        acr: 'aal1',
        authTime: at,
        evidence: { accountId: alex.account.id, asOf: 0, methods: [{ method: 'pwd', at }] },
      });
      expect(await refusalCode(signIn.finish(id))).to.equal('expired');
      expect(await refusalCode(signIn.restart(id))).to.equal('expired');
      expect(await submit(id, alex)).to.deep.equal({ outcome: 'refused', reason: 'expired' });
      expect(await signIn.view(id)).to.equal(undefined);
      await signIn.recordSuccess(finished, meta);
      expect(await history(alex)).to.deep.equal(['sign_in.succeeded']);
      const other = await flow();
      expect(stepOf(await submit(other, alex))).to.equal('done');
    });

    it('takes the code of an enrolled account through the second door', async () => {
      const { signIn, clock, flow, person, submit, codeOf, history } = fixture;
      const alex = await person({ totp: true });
      const id = await flow();
      const first = await submit(id, alex);
      expect(first.view).to.deep.include({ step: 'second-factor', attemptsLeft: 5 });
      expect(first.view?.challengeExpiresAt).to.equal(clock.now() + 600_000);
      expect(first.view?.factors).to.deep.equal({ password: true, totp: true, backupCodes: 10 });
      clock.advance(30);
      const second = await signIn.submitTotp(id, codeOf(alex), meta);
      expect(second).to.have.property('outcome', 'accepted');
      expect(stepOf(second)).to.equal('done');
      const finished = await signIn.finish(id);
      expect(finished).to.deep.include({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
      expect(finished.authTime).to.equal(clock.now() / 1000 - 30);
      expect(await history(alex)).to.deep.equal([]);
    });

    it('takes a backup code once, in any form', async () => {
      const { signIn, flow, person, submit, history } = fixture;
      const alex = await person({ totp: true });
      const [code] = alex.backupCodes;
      const id = await flow();
      await submit(id, alex);
      expect(stepOf(await signIn.submitBackupCode(id, code!.toUpperCase(), meta))).to.equal('done');
      expect(await signIn.finish(id)).to.deep.include({ amr: ['pwd', 'backup_code', 'mfa'], acr: 'aal2' });
      const other = await flow();
      await submit(other, alex);
      const again = await signIn.submitBackupCode(other, code!, meta);
      expect(again).to.include({ outcome: 'refused', reason: 'wrong_code' });
      expect(again.view)
        .to.include({ attemptsLeft: 4 })
        .and.deep.include({
          factors: { password: true, totp: true, backupCodes: 9 },
        });
      expect(await history(alex)).to.have.members(['backup_code.used', 'second_factor.failed']);
    });

    it('sets a second factor up where one is required, and shows the codes until they are stored', async () => {
      const { signIn, clock, flow, person, submit, codeOf, history, credentials } = fixture;
      const alex = await person();
      const id = await flow({ requirement: { secondFactor: true } });
      expect(stepOf(await submit(id, alex))).to.equal('enroll-totp');
      const begun = await signIn.beginEnrolment(id);
      expect(begun.label).to.equal(alex.account.email);
      expect(await signIn.beginEnrolment(id)).to.deep.equal(begun);
      const wrong = await signIn.confirmEnrolment(id, fixture.wrongCode(begun), meta);
      expect(wrong).to.include({ outcome: 'refused', reason: 'wrong_code' });
      const result = await signIn.confirmEnrolment(id, codeOf(begun), meta);
      if (result.outcome !== 'accepted') throw new Error(result.reason);
      expect(result.view.step).to.equal('show-backup-codes');
      expect(result.backupCodes).to.have.length(10);
      expect(await refusalCode(signIn.finish(id))).to.equal('conflict');
      expect(await refusalCode(signIn.beginEnrolment(id))).to.equal('conflict');
      expect((await signIn.acknowledgeBackupCodes(id)).step).to.equal('done');
      expect((await signIn.acknowledgeBackupCodes(id)).step).to.equal('done');
      expect(await signIn.finish(id)).to.deep.include({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
      expect(await credentials.backupCodes.use(alex.account.id, result.backupCodes[0]!)).to.equal(true);
      // The code that enrolled is used up.
      const next = await flow();
      await submit(next, alex);
      expect(await signIn.submitTotp(next, codeOf(begun), meta)).to.include({ reason: 'used_code' });
      clock.advance(30);
      expect(stepOf(await signIn.submitTotp(next, codeOf(begun), meta))).to.equal('done');
      expect(await history(alex)).to.include('second_factor.failed');
    });

    it('makes other backup codes for somebody who lost the page, until they say they have them', async () => {
      const { signIn, flow, person, submit, codeOf, credentials } = fixture;
      const alex = await person();
      const id = await flow({ requirement: { secondFactor: true } });
      await submit(id, alex);
      expect(await refusalCode(signIn.renewBackupCodes(id, meta))).to.equal('conflict');
      const first = await signIn.confirmEnrolment(id, codeOf(await signIn.beginEnrolment(id)), meta);
      if (first.outcome !== 'accepted') throw new Error(first.reason);
      const renewed = await signIn.renewBackupCodes(id, meta);
      expect(renewed).to.have.length(10);
      expect(await credentials.backupCodes.use(alex.account.id, first.backupCodes[0]!)).to.equal(false);
      expect(await credentials.backupCodes.use(alex.account.id, renewed[0]!)).to.equal(true);
      await signIn.acknowledgeBackupCodes(id);
      expect(await refusalCode(signIn.renewBackupCodes(id, meta))).to.equal('conflict');
    });

    it('forgets everything at a restart', async () => {
      const { signIn, flow, person, submit, codeOf } = fixture;
      const [alex, kim] = [await person({ totp: true }), await person()];
      const id = await flow({ loginHint: alex.login });
      expect((await signIn.view(id))?.loginHint).to.equal(alex.login);
      await submit(id, alex);
      const view = await signIn.restart(id);
      expect(view).to.deep.equal({ step: 'password', factors: noFactors });
      expect(await signIn.submitTotp(id, codeOf(alex), meta)).to.include({ reason: 'wrong_step' });
      expect(stepOf(await submit(id, kim))).to.equal('done');
      expect(await signIn.finish(id)).to.deep.include({ accountId: kim.account.id, amr: ['pwd'] });
    });

    it('is opened once: the same id finds it where it was left, as it was started', async () => {
      const { signIn, flow, person, submit } = fixture;
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      const again = await signIn.open(id, {
        clientId: app,
        requirement: { secondFactor: false, freshAfter: 9_999_999_999 },
      });
      expect(again.step).to.equal('second-factor');
      expect(
        await refusalCode(signIn.open(id, { clientId: asClientId('app_b'), requirement: { secondFactor: false } })),
      ).to.equal('expired');
    });

    it('expires', async () => {
      const { signIn, clock, flow, person, submit, codeOf } = fixture;
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      clock.advance(3600);
      expect(await signIn.view(id)).to.equal(undefined);
      for (const result of [
        await submit(id, alex),
        await signIn.submitTotp(id, codeOf(alex), meta),
        await signIn.submitBackupCode(id, alex.backupCodes[0]!, meta),
        await signIn.confirmEnrolment(id, codeOf(alex), meta),
      ]) {
        expect(result).to.deep.equal({ outcome: 'refused', reason: 'expired' });
      }
      const works = [
        () => signIn.finish(id),
        () => signIn.restart(id),
        () => signIn.beginEnrolment(id),
        () => signIn.acknowledgeBackupCodes(id),
      ];
      for (const work of works) expect(await refusalCode(work())).to.equal('expired');
      expect(await refusalCode(signIn.open(id, { clientId: app, requirement: { secondFactor: false } }))).to.equal(
        'expired',
      );
      expect(await fixture.parts.flows.find(sha256(id))).to.not.equal(undefined);
      expect(await signIn.purge()).to.be.at.least(1);
      expect(await fixture.parts.flows.find(sha256(id))).to.equal(undefined);
    });

    it('knows nothing of ids that nobody opened, and keeps none in clear', async () => {
      const { signIn, database, flow } = fixture;
      for (const id of ['', 'x', randomText(24)]) {
        expect(await signIn.view(id)).to.equal(undefined);
        expect(await signIn.submitTotp(id, '123456', meta)).to.deep.equal({ outcome: 'refused', reason: 'expired' });
      }
      const id = await flow();
      expect(await database.sql('sign_in_flow').where({ id })).to.have.length(0);
    });

    it('shows only hints that can be shown', async () => {
      const { signIn, flow } = fixture;
      for (const loginHint of ['', '  ', 'x'.repeat(300), 'a\u0000b', 'a\nb', '\ud800']) {
        expect((await signIn.view(await flow({ loginHint })))?.loginHint, JSON.stringify(loginHint)).to.equal(
          undefined,
        );
      }
      expect((await signIn.view(await flow({ loginHint: ' zo\u00eb@example.com ' })))?.loginHint).to.equal(
        'zo\u00eb@example.com',
      );
    });

    it('does not last longer than the challenge once the password was right', async () => {
      const { signIn, clock, flow, person, submit, codeOf } = fixture;
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      clock.advance(600);
      const late = await signIn.submitTotp(id, codeOf(alex), meta);
      expect(late).to.include({ outcome: 'refused', reason: 'expired' });
      expect(late.view).to.include({ step: 'password', loginHint: alex.login });
      expect(stepOf(await submit(id, alex))).to.equal('second-factor');
      expect(stepOf(await signIn.submitTotp(id, codeOf(alex), meta))).to.equal('done');
    });

    it('offers a fresh secret when an enrolment took too long', async () => {
      const { signIn, clock, flow, person, submit, codeOf } = await createFixture(lane, { challengeSeconds: 1200 });
      const alex = await person();
      const id = await flow({ requirement: { secondFactor: true } });
      await submit(id, alex);
      const first = await signIn.beginEnrolment(id);
      clock.advance(600);
      const late = await signIn.confirmEnrolment(id, codeOf(first), meta);
      expect(late).to.include({ outcome: 'refused', reason: 'expired' });
      expect(late.view).to.include({ step: 'enroll-totp', attemptsLeft: 5 });
      const second = await signIn.beginEnrolment(id);
      expect(second.secret).to.not.equal(first.secret);
      expect((await signIn.confirmEnrolment(id, codeOf(second), meta)).outcome).to.equal('accepted');
    });

    it('gives a code back when another step overtook it', async () => {
      const { parts, signIn, flow, person, submit, codeOf } = fixture;
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      const { createSignIn } = await import('../../src/sign-in/index.ts');
      const overtaken: typeof parts.flows = {
        ...parts.flows,
        async advance(at, change, now) {
          await parts.flows.restart(at.id, now);
          return parts.flows.advance(at, change, now);
        },
      };
      const { submitTotp } = createSignIn({ ...parts, flows: overtaken });
      const code = codeOf(alex);
      expect(await submitTotp(id, code, meta)).to.include({ outcome: 'refused', reason: 'wrong_step' });
      await submit(id, alex);
      expect(stepOf(await signIn.submitTotp(id, code, meta))).to.equal('done');
    });

    it('leaves everything as it was when the hasher is full', async () => {
      const { parts, signIn, flow, person, submit, codeOf } = fixture;
      const { createSignIn } = await import('../../src/sign-in/index.ts');
      const { AppError } = await import('../../src/shared/errors.ts');
      const full = () => Promise.reject(new AppError('unavailable', 'full', { retryAfter: 2 }));
      const { credentials } = parts;
      const crowded = createSignIn({
        ...parts,
        credentials: {
          ...credentials,
          lookUp: async (id) => ({ ...(await credentials.lookUp(id)), verifyPassword: full, refusePassword: full }),
          backupCodes: { ...credentials.backupCodes, prepare: full, match: full },
        },
      });
      const alex = await person({ totp: true });
      const id = await flow();
      for (let turn = 0; turn < 20; turn += 1) {
        expect(await refusalCode(crowded.submitPassword(id, { login: alex.login, password }, meta))).to.equal(
          'unavailable',
        );
      }
      await submit(id, alex);
      for (let turn = 0; turn < 20; turn += 1) {
        expect(await refusalCode(crowded.submitBackupCode(id, alex.backupCodes[0]!, meta))).to.equal('unavailable');
      }
      expect((await signIn.view(id))?.attemptsLeft).to.equal(5);
      expect(stepOf(await signIn.submitBackupCode(id, alex.backupCodes[0]!, meta))).to.equal('done');

      const kim = await person();
      const enrolment = await flow({ requirement: { secondFactor: true } });
      await submit(enrolment, kim);
      const code = codeOf(await signIn.beginEnrolment(enrolment));
      for (let turn = 0; turn < 20; turn += 1) {
        expect(await refusalCode(crowded.confirmEnrolment(enrolment, code, meta))).to.equal('unavailable');
      }
      expect((await signIn.confirmEnrolment(enrolment, code, meta)).outcome).to.equal('accepted');
    });
  });
}
