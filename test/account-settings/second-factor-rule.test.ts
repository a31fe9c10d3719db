import { expect } from 'chai';
import { hasSecondFactor } from '../../src/credentials/index.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { type EmailPolicy, nextStep } from '../../src/sign-in/next-step.ts';

const counts = [0, 1, 3];
const everyone = [true, false].flatMap((totp) =>
  counts.flatMap((backupCodes) => counts.map((passkeys) => ({ password: true, totp, backupCodes, passkeys }))),
);
const policies: readonly EmailPolicy[] = [
  { step: 'off', signIn: 'off' },
  { step: 'no-other-factor', signIn: 'code' },
  { step: 'alternative', signIn: 'link' },
];

describe('the one rule of what lets a password be shorter', () => {
  for (const factors of everyone) {
    const { totp, backupCodes, passkeys } = factors;
    it(`app ${totp}, ${backupCodes} codes, ${passkeys} passkeys: as the second door has it`, () => {
      const accountId = asAccountId('acc_x');
      const evidence = { accountId, methods: [{ method: 'pwd', at: 100 }] } as const;
      const leadsTo = (email?: EmailPolicy) =>
        nextStep({ evidence, factors, requirement: { secondFactor: false }, email, passwordDue: true });
      expect(leadsTo() === 'second-factor').to.equal(hasSecondFactor(factors));
      // A mailbox may add a step, and never is what makes a password shorter.
      for (const email of policies) if (hasSecondFactor(factors)) expect(leadsTo(email)).to.equal('second-factor');
    });
  }
});
