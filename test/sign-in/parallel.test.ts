import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { createFixture, type Fixture, meta, stepOf } from './fixture.ts';

const fifty = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => work(index)));

const settleFifty = <T>(work: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> =>
  Promise.allSettled(Array.from({ length: 50 }, (_, index) => work(index)));

const count = <T>(results: readonly T[], matches: (result: T) => boolean): number => results.filter(matches).length;

for (const lane of sqlLanes()) {
  describe(`fifty at once on ${lane}`, () => {
    let fixture: Fixture;
    /** Without limits in the way of what is counted here. */
    let open: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
      open = await createFixture(lane, { lockoutTries: 100, lockoutSeconds: 0, codeTries: 100 });
    });

    it('wrong passwords never exceed the limit', async () => {
      const { clock, parts, flow, person, submit, history } = fixture;
      const alex = await person();
      const flows = await fifty(() => flow());
      let looked = 0;
      const { lookUp } = parts.credentials;
      parts.credentials.lookUp = async (id) => {
        const { verifyPassword, ...others } = await lookUp(id);
        return {
          ...others,
          verifyPassword: (given) => {
            looked += 1;
            return verifyPassword(given);
          },
        };
      };
      const reasons: (string | undefined)[] = [];
      for (let wave = 0; wave < 4; wave += 1) {
        const results = await fifty((index) => submit(flows[index]!, alex, 'wrong'));
        reasons.push(...results.map((result) => (result.outcome === 'refused' ? result.reason : undefined)));
        clock.advance(10);
      }
      expect(looked).to.equal(5);
      expect(count(reasons, (reason) => reason === 'mismatch')).to.equal(5);
      expect(count(reasons, (reason) => reason === 'paused')).to.equal(195);
      expect(await submit(await flow(), alex)).to.include({ reason: 'paused' });
      expect(count(await history(alex), (type) => type === 'sign_in.locked')).to.equal(1);
    });

    it('right passwords in one flow take one step', async () => {
      const { signIn, flow, person, submit } = open;
      const alex = await person({ totp: true });
      const id = await flow();
      const results = await fifty(() => submit(id, alex));
      expect(count(results, ({ outcome }) => outcome === 'accepted')).to.equal(1);
      expect(count(results, (result) => result.outcome === 'refused' && result.reason === 'wrong_step')).to.equal(49);
      expect(results.every((result) => stepOf(result) === 'second-factor')).to.equal(true);
      expect((await signIn.view(id))?.step).to.equal('second-factor');
    });

    it('flows with one TOTP code let one of them in', async () => {
      const { signIn, flow, person, submit, codeOf } = open;
      const alex = await person({ totp: true });
      const flows = await fifty(() => flow());
      for (const id of flows) await submit(id, alex);
      const code = codeOf(alex);
      const results = await fifty((index) => signIn.submitTotp(flows[index]!, code, meta));
      expect(count(results, ({ outcome }) => outcome === 'accepted')).to.equal(1);
      expect(count(results, (result) => result.outcome === 'refused' && result.reason === 'used_code')).to.equal(49);
      const finished = await settleFifty((index) => signIn.finish(flows[index]!));
      expect(count(finished, ({ status }) => status === 'fulfilled')).to.equal(1);
    });

    it('posts of one TOTP code to one flow open the door once and hurt nobody', async () => {
      const { signIn, flow, person, submit, codeOf, history } = open;
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      const code = codeOf(alex);
      const results = await fifty(() => signIn.submitTotp(id, code, meta));
      expect(count(results, ({ outcome }) => outcome === 'accepted')).to.equal(1);
      expect(count(results, (result) => result.outcome === 'refused' && result.reason === 'wrong_step')).to.equal(49);
      expect((await signIn.view(id))?.step).to.equal('done');
      expect(await history(alex)).to.deep.equal([]);
    });

    it('flows with one backup code let one of them in', async () => {
      const { signIn, credentials, flow, person, submit } = open;
      const alex = await person({ totp: true });
      const flows = await fifty(() => flow());
      for (const id of flows) await submit(id, alex);
      const results = await fifty((index) => signIn.submitBackupCode(flows[index]!, alex.backupCodes[0]!, meta));
      expect(count(results, ({ outcome }) => outcome === 'accepted')).to.equal(1);
      expect((await credentials.factorsOf(alex.account.id)).backupCodes).to.equal(9);
    });

    it('wrong codes in one flow are looked at five times', async () => {
      const { signIn, parts, flow, person, submit, codeOf, wrongCode } = await createFixture(lane, {
        lockoutTries: 100,
        lockoutSeconds: 0,
      });
      const alex = await person({ totp: true });
      const id = await flow();
      await submit(id, alex);
      let looked = 0;
      const { verify } = parts.credentials.totp;
      parts.credentials.totp.verify = (account, code) => {
        looked += 1;
        return verify(account, code);
      };
      const results = await fifty(() => signIn.submitTotp(id, wrongCode(alex), meta));
      expect(looked).to.equal(5);
      expect(results.every(({ outcome }) => outcome === 'refused')).to.equal(true);
      expect(stepOf(await signIn.submitTotp(id, codeOf(alex), meta))).to.equal('password');
    });

    it('wrong codes over many flows stop at the account', async () => {
      const { signIn, parts, clock, flow, person, submit, codeOf, wrongCode } = fixture;
      const alex = await person({ totp: true });
      const flows = await fifty(() => flow());
      for (const id of flows) await submit(id, alex);
      let looked = 0;
      const { verify } = parts.credentials.totp;
      parts.credentials.totp.verify = (account, code) => {
        looked += 1;
        return verify(account, code);
      };
      for (let wave = 0; wave < 3; wave += 1) {
        await fifty((index) => signIn.submitTotp(flows[index]!, wrongCode(alex), meta));
        clock.advance(10);
      }
      expect(looked).to.equal(5);
      expect(await signIn.submitTotp(flows[0]!, codeOf(alex), meta)).to.include({ reason: 'paused' });
    });

    it('finishes are one', async () => {
      const { signIn, flow, person, submit } = open;
      const alex = await person();
      const id = await flow();
      await submit(id, alex);
      const results = await settleFifty(() => signIn.finish(id));
      expect(count(results, ({ status }) => status === 'fulfilled')).to.equal(1);
      const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      expect(codes.every((code) => code === 'conflict' || code === 'expired')).to.equal(true);
    });

    it('confirmations of one enrolment make one set of codes', async () => {
      const { signIn, credentials, flow, person, submit, codeOf } = open;
      const alex = await person();
      const id = await flow({ requirement: { secondFactor: true } });
      await submit(id, alex);
      const code = codeOf(await signIn.beginEnrolment(id));
      const results = await fifty(() => signIn.confirmEnrolment(id, code, meta));
      const won = results.flatMap((result) => (result.outcome === 'accepted' ? [result.backupCodes] : []));
      expect(won).to.have.length(1);
      expect(await credentials.backupCodes.use(alex.account.id, won[0]![3]!)).to.equal(true);
      expect((await signIn.view(id))?.step).to.equal('show-backup-codes');
    });

    it('enrolments of one account in many flows leave one authenticator', async () => {
      const { signIn, clock, flow, person, submit, codeOf } = open;
      const alex = await person();
      const flows = await Promise.all(Array.from({ length: 10 }, () => flow({ requirement: { secondFactor: true } })));
      const secrets: { secret: string }[] = [];
      for (const id of flows) {
        await submit(id, alex);
        secrets.push(await signIn.beginEnrolment(id));
      }
      const results = await Promise.all(
        flows.map((id, index) => signIn.confirmEnrolment(id, codeOf(secrets[index]!), meta)),
      );
      const winner = results.findIndex(({ outcome }) => outcome === 'accepted');
      expect(count(results, ({ outcome }) => outcome === 'accepted')).to.equal(1);
      clock.advance(30);
      const loser = (winner + 1) % flows.length;
      expect(await signIn.submitTotp(flows[loser]!, codeOf(secrets[loser]!), meta)).to.include({
        reason: 'wrong_code',
      });
      expect(stepOf(await signIn.submitTotp(flows[loser]!, codeOf(secrets[winner]!), meta))).to.equal('done');
    });

    it('opens of one id are one flow', async () => {
      const { signIn, person, submit } = open;
      const alex = await person();
      const id = `same-${alex.login}`;
      const input = { clientId: 'app_test', requirement: { secondFactor: false } } as Parameters<typeof signIn.open>[1];
      const views = await fifty(() => signIn.open(id, input));
      expect(views.every(({ step }) => step === 'password')).to.equal(true);
      expect(stepOf(await submit(id, alex))).to.equal('done');
    });

    it('restarts beside a right code never leave half of the evidence', async () => {
      const { signIn, flow, person, submit, codeOf } = open;
      const alex = await person({ totp: true });
      for (let round = 0; round < 5; round += 1) {
        const id = await flow();
        await submit(id, alex);
        open.clock.advance(30);
        const code = codeOf(alex);
        await Promise.allSettled([signIn.submitTotp(id, code, meta), signIn.restart(id), signIn.finish(id)]);
        const view = await signIn.view(id);
        expect(view === undefined || view.step === 'password' || view.step === 'done').to.equal(true);
        if (view?.step === 'password')
          expect(await submit(id, alex)).to.have.nested.property('view.step', 'second-factor');
      }
    });
  });
}
