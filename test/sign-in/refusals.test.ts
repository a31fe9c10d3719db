import { expect } from 'chai';
import { randomText } from '../../src/shared/ids.ts';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, type Person, password, stepOf } from './fixture.ts';

for (const lane of sqlLanes()) {
  describe(`refused sign-ins on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    /** Fails with the password so often, waiting out the pauses. */
    const failTimes = async (count: number, { login }: Pick<Person, 'login'>): Promise<void> => {
      const { signIn, clock, flow } = fixture;
      const id = await flow();
      for (let turn = 0; turn < count; turn += 1) {
        const result = await signIn.submitPassword(id, { login, password: 'wrong' }, meta);
        expect(result).to.include({ reason: 'mismatch' });
        if (turn < count - 1) clock.advance(10);
      }
    };

    it('say the same of a wrong password, a name that nobody has and an account that may not sign in', async () => {
      const { accounts, database, clock, flow, person, submit } = fixture;
      const by = { kind: 'operator' } as const;
      const alex = await person();
      const suspended = await person();
      await accounts.disable(suspended.account.id, by);
      const others = [];
      for (const status of ['locked', 'deleted']) {
        const somebody = await person();
        await database.sql('account').where({ id: somebody.account.id }).update({ status });
        others.push(somebody);
      }
      const bare = await person();
      await database.sql('password').where({ account_id: bare.account.id }).delete();
      const nobody = { login: `nobody-${randomText(8)}` };
      const cases: [{ login: string }, string][] = [
        [alex, 'wrong'],
        [nobody, password],
        [{ login: '' }, password],
        [{ login: 'a\u0000b' }, password],
        [{ login: 'x'.repeat(5000) }, password],
        [suspended, password],
        [bare, password],
        ...others.map((one): [{ login: string }, string] => [one, password]),
        [await person(), ''],
        [await person(), 'x'.repeat(100_000)],
      ];
      const answers = new Set<string>();
      for (const [who, given] of cases) {
        answers.add(JSON.stringify(await submit(await flow(), who, given)));
        clock.advance(60);
      }
      expect([...answers]).to.deep.equal([
        JSON.stringify({
          outcome: 'refused',
          reason: 'mismatch',
          view: { step: 'password', factors: { password: false, totp: false, backupCodes: 0 } },
        }),
      ]);
    });

    it('tell the audit log what they do not tell the stranger, and no name that was typed', async () => {
      const { audit, accounts, flow, person, submit } = fixture;
      const alex = await person();
      await submit(await flow(), alex, 'wrong');
      await accounts.disable(alex.account.id, { kind: 'operator' });
      await submit(await flow(), alex);
      const rows = (await audit.list({ subject: alex.account.id, type: 'sign_in.failed', limit: 5 })).map(
        ({ details, ip, clientId, actor }) => ({ ...details, ip, clientId, actor: actor.kind }),
      );
      const common = { ip: meta.ip, clientId: 'app_test', actor: 'stranger' };
      expect(rows).to.have.deep.members([
        { reason: 'wrong_password', ...common },
        { reason: 'suspended', ...common },
      ]);
      const nobody = `nobody-${randomText(8)}`;
      await submit(await flow(), { login: nobody });
      const all = await audit.list({ type: 'sign_in.failed', limit: 50 });
      expect(all.some(({ details, subject }) => details?.reason === 'unknown_login' && subject === undefined)).to.equal(
        true,
      );
      expect(JSON.stringify(all)).to.not.contain(nobody);
    });

    it('pause an account after five failures for 30 minutes, also for the right password', async () => {
      const { signIn, clock, flow, person, submit, history } = fixture;
      const alex = await person();
      await failTimes(5, alex);
      const locked = clock.now();
      const id = await flow();
      const paused = await submit(id, alex);
      expect(paused).to.include({ outcome: 'refused', reason: 'paused', retryAt: locked + 1_800_000 });
      const byMail = await signIn.submitPassword(id, { login: alex.account.email, password }, meta);
      expect(byMail, 'its other name tells nothing of it')
        .to.include({ reason: 'mismatch' })
        .and.not.have.key('retryAt');
      clock.advance(1799);
      expect(await submit(id, alex)).to.include({ reason: 'paused' });
      clock.advance(1);
      const late = await flow();
      expect(stepOf(await submit(late, alex))).to.equal('done');
      expect((await history(alex)).filter((type) => type === 'sign_in.locked')).to.have.length(1);
    });

    it('pause a name that nobody has by the same rules', async () => {
      const { clock, flow, person, submit } = fixture;
      const alex = await person();
      const ghost = { login: `ghost-${randomText(10)}` };
      const answers = [];
      for (const who of [alex, ghost]) {
        const own = [];
        const start = clock.now();
        for (let turn = 0; turn < 8; turn += 1) {
          const result = await submit(await flow(), who, 'wrong');
          if (result.outcome !== 'refused') throw new Error('accepted');
          own.push([result.reason, result.retryAt === undefined ? undefined : result.retryAt - start]);
          clock.advance(turn < 5 ? 3 : 1);
        }
        answers.push(own);
        clock.advance(7200);
      }
      expect(answers[1]).to.deep.equal(answers[0]);
      expect(answers[0]?.map(([reason]) => reason)).to.deep.equal([
        ...Array(5).fill('mismatch'),
        ...Array(3).fill('paused'),
      ]);
    });

    it('grow slower from the third failure on', async () => {
      const { clock, flow, person, submit } = fixture;
      const alex = await person();
      const id = await flow();
      const wait = async (): Promise<number> => {
        const result = await submit(id, alex, 'wrong');
        if (result.outcome !== 'refused') throw new Error('accepted');
        const pause = (result.retryAt ?? clock.now()) - clock.now();
        expect(await submit(id, alex)).to.include(pause > 0 ? { reason: 'paused' } : {});
        clock.advance(pause / 1000);
        return pause;
      };
      const first = await submit(id, alex, 'wrong');
      expect(first).to.not.have.property('retryAt');
      await submit(id, alex, 'wrong');
      expect(await wait()).to.equal(1000);
      expect(await wait()).to.equal(2000);
      expect(await wait()).to.equal(1_800_000);
    });

    it('are forgotten after a whole sign-in, but not after half of one', async () => {
      const { signIn, clock, flow, person, submit, codeOf, wrongCode } = fixture;
      const alex = await person({ totp: true });
      await failTimes(2, alex);
      // The right password in between must not buy more tries at the second door.
      const id = await flow();
      for (let turn = 0; turn < 2; turn += 1) {
        clock.advance(10);
        expect(stepOf(await submit(id, alex))).to.equal('second-factor');
        clock.advance(10);
        expect(await signIn.submitTotp(id, wrongCode(alex), meta)).to.include({ reason: 'wrong_code' });
        await signIn.restart(id);
      }
      clock.advance(10);
      await submit(id, alex);
      expect(await signIn.submitTotp(id, wrongCode(alex), meta)).to.include({ reason: 'wrong_code' });
      expect(await signIn.submitTotp(id, codeOf(alex), meta)).to.include({ reason: 'paused' });
      clock.advance(1800);

      const later = await flow();
      await failTimes(4, alex);
      clock.advance(10);
      await submit(later, alex);
      expect(stepOf(await signIn.submitTotp(later, codeOf(alex), meta))).to.equal('done');
      await failTimes(4, alex);
      clock.advance(10);
      expect(stepOf(await submit(await flow(), alex))).to.equal('second-factor');
    });

    it('end the challenge after five wrong codes, of whatever kind, and count them against the account', async () => {
      const { signIn, clock, flow, person, submit, codeOf, wrongCode, history } = await createFixture(lane, {
        lockoutTries: 50,
        lockoutSeconds: 60,
      });
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      const guesses = ['', 'nonsense', wrongCode(alex), '1234567'];
      for (const [index, guess] of guesses.entries()) {
        const result =
          index % 2 === 0 ? await signIn.submitTotp(id, guess, meta) : await signIn.submitBackupCode(id, guess, meta);
        expect(result).to.include({ reason: 'wrong_code' });
        expect(result.view).to.include({ attemptsLeft: 4 - index });
        clock.advance(30);
      }
      const last = await signIn.submitTotp(id, wrongCode(alex), meta);
      expect(last).to.include({ reason: 'too_many_codes' });
      expect(stepOf(last)).to.equal('password');
      clock.advance(30);
      expect(await signIn.submitTotp(id, codeOf(alex), meta)).to.include({ reason: 'too_many_codes' });
      expect(await refusalCode(signIn.finish(id))).to.equal('conflict');
      expect(await history(alex)).to.deep.equal(Array(5).fill('second_factor.failed'));
      clock.advance(30);
      expect(stepOf(await submit(id, alex))).to.equal('second-factor');
      expect(stepOf(await signIn.submitTotp(id, codeOf(alex), meta))).to.equal('done');
    });

    it('lock the account by wrong codes too, in whatever flow', async () => {
      const { signIn, clock, flow, person, submit, codeOf, wrongCode, history } = fixture;
      const alex = await person({ totp: true });
      for (let turn = 0; turn < 5; turn += 1) {
        const id = await flow();
        expect(stepOf(await submit(id, alex))).to.equal('second-factor');
        expect(await signIn.submitTotp(id, wrongCode(alex), meta)).to.include({ reason: 'wrong_code' });
        clock.advance(10);
      }
      const id = await flow();
      expect(await submit(id, alex)).to.include({ reason: 'paused' });
      expect((await history(alex)).filter((type) => type === 'sign_in.locked')).to.have.length(1);
      clock.advance(1800);
      await submit(await flow(), alex);
      expect(await signIn.submitTotp(id, codeOf(alex), meta)).to.include({ reason: 'wrong_step' });
    });

    it('lock nobody out over an enrolment, but end it', async () => {
      const { signIn, flow, person, submit, wrongCode, codeOf } = fixture;
      const alex = await person();
      const id = await flow({ requirement: { secondFactor: true } });
      await submit(id, alex);
      const begun = await signIn.beginEnrolment(id);
      for (let turn = 0; turn < 4; turn += 1) {
        expect(await signIn.confirmEnrolment(id, wrongCode(begun), meta)).to.include({ reason: 'wrong_code' });
      }
      expect(await signIn.confirmEnrolment(id, wrongCode(begun), meta)).to.include({ reason: 'too_many_codes' });
      expect(await signIn.confirmEnrolment(id, codeOf(begun), meta)).to.include({ reason: 'too_many_codes' });
      expect(stepOf(await submit(id, alex))).to.equal('enroll-totp');
      expect((await signIn.confirmEnrolment(id, codeOf(begun), meta)).outcome).to.equal('accepted');
    });

    it('hit an account that is disabled in the middle, at the next step and at the end', async () => {
      const { signIn, accounts, flow, person, submit, codeOf, history } = fixture;
      const by = { kind: 'operator' } as const;
      const alex = await person({ totp: true });
      const [waiting, complete] = [await flow(), await flow()];
      await submit(waiting, alex);
      await submit(complete, alex);
      await signIn.submitTotp(complete, codeOf(alex), meta);
      await accounts.disable(alex.account.id, by);
      const refused = await signIn.submitTotp(waiting, codeOf(alex, 1), meta);
      expect(refused).to.include({ outcome: 'refused', reason: 'mismatch' });
      expect(refused.view).to.deep.include({ step: 'password' }).and.not.have.property('account');
      expect(await refusalCode(signIn.finish(complete))).to.equal('conflict');
      expect(await submit(complete, alex)).to.include({ reason: 'mismatch' });
      expect(await history(alex)).to.not.include('sign_in.succeeded');

      const kim = await person();
      const enrolling = await flow({ requirement: { secondFactor: true } });
      await submit(enrolling, kim);
      const begun = await signIn.beginEnrolment(enrolling);
      await accounts.disable(kim.account.id, by);
      expect(await refusalCode(signIn.beginEnrolment(enrolling))).to.equal('conflict');
      expect(await signIn.confirmEnrolment(enrolling, codeOf(begun), meta)).to.include({ reason: 'mismatch' });
    });

    it('keep a second enrolment from replacing the first, and send it to the second door', async () => {
      const { signIn, clock, flow, person, submit, codeOf } = fixture;
      const alex = await person();
      const requirement = { secondFactor: true };
      const [one, two] = [await flow({ requirement }), await flow({ requirement })];
      await submit(one, alex);
      await submit(two, alex);
      const [first, second] = [await signIn.beginEnrolment(one), await signIn.beginEnrolment(two)];
      expect(second.secret).to.not.equal(first.secret);
      expect(await signIn.confirmEnrolment(two, codeOf(first), meta)).to.include({ reason: 'wrong_code' });
      expect((await signIn.confirmEnrolment(one, codeOf(first), meta)).outcome).to.equal('accepted');
      const late = await signIn.confirmEnrolment(two, codeOf(second), meta);
      expect(late).to.include({ reason: 'wrong_step' });
      expect(stepOf(late)).to.equal('second-factor');
      clock.advance(30);
      expect(await signIn.submitTotp(two, codeOf(second), meta)).to.include({ reason: 'wrong_code' });
      expect(stepOf(await signIn.submitTotp(two, codeOf(first), meta))).to.equal('done');
    });
  });
}
