import { expect } from 'chai';
import { sqlLanes } from '../support/database.ts';
import { refusalCode } from '../support/refusal.ts';
import { createFixture, type Fixture, meta, stepOf } from './fixture.ts';

const noFactors = { password: false, totp: false, backupCodes: 0 };

for (const lane of sqlLanes()) {
  describe(`a sign-in with a session or a demand on ${lane}`, () => {
    let fixture: Fixture;

    beforeEach(async () => {
      fixture = await createFixture(lane);
    });

    it('asks a live session only for what is missing', async () => {
      const { signIn, clock, flow, person, codeOf } = fixture;
      const alex = await person({ totp: true });
      const at = clock.now() / 1000 - 5000;
      const session = { accountId: alex.account.id, methods: [{ method: 'pwd' as const, at }] };
      const id = await flow({ session, requirement: { secondFactor: true } });
      expect((await signIn.view(id))?.step).to.equal('second-factor');
      await signIn.submitTotp(id, codeOf(alex), meta);
      expect(await signIn.finish(id)).to.deep.include({ amr: ['pwd', 'otp', 'mfa'], authTime: at });
    });

    it('lets no old session add a second factor', async () => {
      const { signIn, clock, flow, person, submit } = fixture;
      const alex = await person();
      const at = clock.now() / 1000 - 601;
      const session = { accountId: alex.account.id, methods: [{ method: 'pwd' as const, at }] };
      const id = await flow({ session, requirement: { secondFactor: true } });
      expect((await signIn.view(id))?.step).to.equal('password');
      expect(await refusalCode(signIn.beginEnrolment(id))).to.equal('conflict');
      expect(stepOf(await submit(id, alex))).to.equal('enroll-totp');
    });

    it('does not count what a session proved too long ago, for another account, or for somebody disabled', async () => {
      const { signIn, accounts, clock, flow, person, submit, codeOf } = fixture;
      const alex = await person({ totp: true });
      const kim = await person();
      const now = clock.now() / 1000;
      const methods = [
        { method: 'pwd' as const, at: now - 10 },
        { method: 'otp' as const, at: now - 10 },
      ];
      const session = { accountId: alex.account.id, methods };
      const enough = await flow({ session });
      expect((await signIn.view(enough))?.step).to.equal('done');

      const fresh = await flow({ session, requirement: { secondFactor: false, freshAfter: now } });
      expect((await signIn.view(fresh))?.step).to.equal('password');
      expect(stepOf(await submit(fresh, alex))).to.equal('second-factor');
      await signIn.submitTotp(fresh, codeOf(alex), meta);
      expect((await signIn.finish(fresh)).authTime).to.equal(now);

      const other = await flow({ session, requirement: { secondFactor: false, accountId: kim.account.id } });
      expect(await signIn.view(other)).to.deep.equal({ step: 'password', factors: noFactors });

      await accounts.disable(alex.account.id, { kind: 'operator' });
      const barred = await flow({ session });
      expect(await signIn.view(barred)).to.deep.equal({ step: 'password', factors: noFactors });
    });

    it('lets only the required account in, and tells a stranger nothing about it', async () => {
      const { signIn, flow, person, submit } = fixture;
      const [alex, kim] = [await person(), await person()];
      const id = await flow({ requirement: { secondFactor: false, accountId: alex.account.id } });
      expect(await submit(id, kim)).to.include({ outcome: 'refused', reason: 'mismatch' });
      expect((await signIn.view(id))?.account).to.equal(undefined);
      expect(stepOf(await submit(id, alex))).to.equal('done');
    });
  });
}
