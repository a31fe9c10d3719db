import { expect } from 'chai';
import fc from 'fast-check';
import { asAccountId } from '../../src/shared/ids.ts';
import { type Evidence, isTwoFactors, type Method, type Proof } from '../../src/sign-in/evidence.ts';
import { countedEvidence, nextStep, type Requirement, type Standing } from '../../src/sign-in/next-step.ts';

const alex = asAccountId('acc_alex');
const kim = asAccountId('acc_kim');
const none = { password: true, totp: false, backupCodes: 0 };
const enrolled = { password: true, totp: true, backupCodes: 10 };
const pwd = { method: 'pwd', at: 100 } as const;
const otp = { method: 'otp', at: 110 } as const;
const by = (...methods: Evidence['methods']): Evidence => ({ accountId: alex, methods });
const free: Requirement = { secondFactor: false };
const strict: Requirement = { secondFactor: true };

const standing: fc.Arbitrary<Standing> = fc.record({
  evidence: fc.option(
    fc.record({
      accountId: fc.constantFrom(alex, kim),
      methods: fc.array(
        fc.oneof(
          fc.record({
            method: fc.constantFrom<Exclude<Method, 'passkey'>>(
              ...(['pwd', 'otp', 'backup_code', 'email', 'device', 'new_passkey'] as const),
            ),
            at: fc.integer({ min: 0, max: 200 }),
          }),
          fc.record({
            method: fc.constant('passkey' as const),
            at: fc.integer({ min: 0, max: 200 }),
            userVerified: fc.boolean(),
            synced: fc.boolean(),
          }),
        ),
        { maxLength: 4 },
      ),
    }),
    { nil: undefined },
  ),
  factors: fc.record({
    password: fc.boolean(),
    totp: fc.boolean(),
    backupCodes: fc.integer({ min: 0, max: 10 }),
    passkeys: fc.integer({ min: 0, max: 2 }),
  }),
  requirement: fc.record(
    {
      secondFactor: fc.boolean(),
      freshAfter: fc.integer({ min: 0, max: 200 }),
      accountId: fc.constantFrom(alex, kim),
    },
    { requiredKeys: ['secondFactor'] },
  ),
  ...({
    enrolAfter: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
    unseenCodes: fc.boolean(),
    unverified: fc.boolean(),
    passwordDue: fc.boolean(),
    offerPasskey: fc.boolean(),
    email: fc.option(
      fc.record({
        step: fc.constantFrom('off' as const, 'no-other-factor' as const, 'alternative' as const),
        signIn: fc.constantFrom('off' as const, 'code' as const, 'link' as const),
      }),
      { nil: undefined },
    ),
  } as { enrolAfter: fc.Arbitrary<number>; unseenCodes: fc.Arbitrary<boolean> }),
});

const counts = ({ evidence, requirement }: Standing): readonly Proof[] =>
  evidence?.methods.filter(({ at }) => requirement.freshAfter === undefined || at >= requirement.freshAfter) ?? [];
const has = (given: Standing, ...methods: Method[]): boolean =>
  counts(given).some(({ method }) => methods.includes(method));
const hasVerifiedPasskey = (given: Standing): boolean =>
  counts(given).some((proof) => proof.method === 'passkey' && proof.userVerified);
const hasStrong = ({ factors }: Standing): boolean =>
  factors.totp || factors.backupCodes > 0 || (factors.passkeys ?? 0) > 0;

describe('nextStep', () => {
  it('starts with the password', () => {
    expect(nextStep({ evidence: undefined, factors: enrolled, requirement: free })).to.equal('password');
    expect(nextStep({ evidence: by(), factors: none, requirement: free })).to.equal('password');
    expect(nextStep({ evidence: by(otp), factors: enrolled, requirement: free })).to.equal('password');
  });

  it('is done with a password where nobody has or wants more', () => {
    expect(nextStep({ evidence: by(pwd), factors: none, requirement: free })).to.equal('done');
  });

  it('asks for the second factor of an account that has one, whoever asks', () => {
    expect(nextStep({ evidence: by(pwd), factors: enrolled, requirement: free })).to.equal('second-factor');
    expect(nextStep({ evidence: by(pwd, otp), factors: enrolled, requirement: strict })).to.equal('done');
    const left = { password: true, totp: false, backupCodes: 3 };
    expect(nextStep({ evidence: by(pwd), factors: left, requirement: free })).to.equal('second-factor');
  });

  it('sets a second factor up where one is required, and shows the codes until they are stored', () => {
    expect(nextStep({ evidence: by(pwd), factors: none, requirement: strict })).to.equal('enroll-totp');
    const after = { evidence: by(pwd, otp), factors: enrolled, requirement: strict };
    expect(nextStep({ ...after, unseenCodes: true })).to.equal('show-backup-codes');
    expect(nextStep(after)).to.equal('done');
  });

  it('lets no old password open an enrolment', () => {
    const old = { evidence: by(pwd), factors: none, requirement: strict, enrolAfter: 101 };
    expect(nextStep(old)).to.equal('password');
    expect(nextStep({ ...old, enrolAfter: 100 })).to.equal('enroll-totp');
    expect(nextStep({ ...old, requirement: free })).to.equal('done');
  });

  it('does not count evidence that is too old or about somebody else', () => {
    const requirement = { secondFactor: false, freshAfter: 101 };
    expect(nextStep({ evidence: by(pwd), factors: none, requirement })).to.equal('password');
    expect(nextStep({ evidence: by({ ...pwd, at: 101 }), factors: none, requirement })).to.equal('done');
    const fresh = by({ ...pwd, at: 120 }, { ...otp, at: 99 });
    expect(nextStep({ evidence: fresh, factors: enrolled, requirement })).to.equal('second-factor');
    const other = { secondFactor: false, accountId: kim };
    expect(nextStep({ evidence: by(pwd), factors: none, requirement: other })).to.equal('password');
  });

  it('takes a passkey for both doors only when its authenticator knew the person', () => {
    const key = { method: 'passkey', at: 100, synced: false } as const;
    const withKey = { ...none, passkeys: 1 };
    const verified = by({ ...key, userVerified: true });
    expect(nextStep({ evidence: verified, factors: withKey, requirement: strict })).to.equal('done');
    const touched = { ...key, userVerified: false };
    expect(nextStep({ evidence: by(touched), factors: withKey, requirement: free })).to.equal('password');
    expect(nextStep({ evidence: by(touched, pwd), factors: withKey, requirement: strict })).to.equal('done');
    expect(nextStep({ evidence: by(pwd), factors: withKey, requirement: free })).to.equal('second-factor');
  });

  it('lets a remembered browser stand for what the account alone wants, and for nothing else', () => {
    const known = by(pwd, { method: 'device', at: 100 });
    expect(nextStep({ evidence: known, factors: enrolled, requirement: free })).to.equal('done');
    expect(nextStep({ evidence: known, factors: enrolled, requirement: strict })).to.equal('second-factor');
    const fresh = { secondFactor: false, freshAfter: 50 };
    expect(nextStep({ evidence: known, factors: enrolled, requirement: fresh })).to.equal('second-factor');
    expect(nextStep({ evidence: known, factors: none, requirement: strict })).to.equal('enroll-totp');
  });

  it('takes a mailed code as a step after the password, and as a first door only where that is wanted', () => {
    const mailed = by({ method: 'email', at: 100 });
    const step = { step: 'no-other-factor', signIn: 'off' } as const;
    const door = { step: 'off', signIn: 'link' } as const;
    const about = { factors: none, requirement: free };
    expect(nextStep({ ...about, evidence: by(pwd), email: step })).to.equal('second-factor');
    expect(nextStep({ ...about, evidence: by(pwd, { method: 'email', at: 120 }), email: step })).to.equal('done');
    expect(nextStep({ ...about, evidence: mailed, email: step })).to.equal('password');
    expect(nextStep({ ...about, evidence: mailed, email: door })).to.equal('done');
    expect(nextStep({ evidence: mailed, factors: enrolled, requirement: free, email: door })).to.equal('second-factor');
    const same = { step: 'alternative', signIn: 'link' } as const;
    expect(nextStep({ evidence: mailed, factors: enrolled, requirement: free, email: same })).to.equal('second-factor');
  });

  it('asks for the mailbox before a second factor is set up, where it would without the demand', () => {
    const mailed = { method: 'email', at: 120 } as const;
    const about = { factors: none, requirement: strict, evidence: by(pwd) };
    const off = { step: 'off', signIn: 'off' } as const;
    for (const step of ['no-other-factor', 'alternative'] as const) {
      const email = { step, signIn: 'off' } as const;
      expect(nextStep({ ...about, email })).to.equal('second-factor');
      expect(nextStep({ ...about, email, enrolAfter: 105 }), 'the password first').to.equal('password');
      expect(nextStep({ ...about, email, evidence: by(pwd, mailed) })).to.equal('enroll-totp');
      const last = by(pwd, { method: 'backup_code', at: 110 });
      expect(nextStep({ ...about, email, evidence: last }), 'after the last backup code').to.equal('enroll-totp');
      expect(nextStep({ ...about, email, factors: enrolled, evidence: by(pwd, mailed) })).to.equal('second-factor');
    }
    const cautious = { ...by(pwd), cautious: true } as const;
    expect(nextStep({ ...about, email: off })).to.equal('enroll-totp');
    expect(nextStep({ ...about, email: { ...off, reachable: true } })).to.equal('enroll-totp');
    expect(nextStep({ ...about, email: { ...off, reachable: true }, evidence: cautious })).to.equal('second-factor');
    expect(nextStep({ ...about, email: off, evidence: cautious }), 'no mail leaves').to.equal('enroll-totp');
  });

  it('has the address confirmed before anything else, and the password changed after everything', () => {
    const given = { evidence: by(pwd), factors: enrolled, requirement: free, unverified: true, passwordDue: true };
    expect(nextStep({ ...given, evidence: undefined })).to.equal('password');
    expect(nextStep(given)).to.equal('verify-email');
    expect(nextStep({ ...given, unverified: false })).to.equal('second-factor');
    const proven = { ...given, unverified: false, evidence: by(pwd, otp) };
    expect(nextStep({ ...proven, unseenCodes: true })).to.equal('show-backup-codes');
    expect(nextStep(proven)).to.equal('change-password');
    expect(nextStep({ ...proven, enrolAfter: 105 }), 'an old session changes no password').to.equal('password');
    expect(nextStep({ ...proven, passwordDue: false, offerPasskey: true })).to.equal('offer-passkey');
  });

  it('never is past the first door without one that counts', () => {
    fc.assert(
      fc.property(standing, (given) => {
        const rightAccount =
          given.requirement.accountId === undefined || given.requirement.accountId === given.evidence?.accountId;
        const mailed = has(given, 'email') && (given.email?.signIn ?? 'off') !== 'off';
        const opened = has(given, 'pwd') || hasVerifiedPasskey(given) || mailed;
        if (!opened || !rightAccount) expect(nextStep(given)).to.equal('password');
      }),
      { numRuns: 2000 },
    );
  });

  it('never is done for somebody with a second factor who did not show one or was spared it', () => {
    fc.assert(
      fc.property(standing, (given) => {
        if (!hasStrong(given)) return;
        const { secondFactor, freshAfter } = given.requirement;
        const spared = has(given, 'device') && !secondFactor && freshAfter === undefined;
        const mailed = given.email?.step === 'alternative' && has(given, 'pwd') && has(given, 'email');
        const shown = has(given, 'otp', 'backup_code', 'passkey', 'new_passkey') || spared || (mailed && !secondFactor);
        if (!shown) expect(nextStep(given)).to.be.oneOf(['password', 'second-factor', 'verify-email']);
      }),
      { numRuns: 2000 },
    );
  });

  it('never is done without two factors where they are demanded', () => {
    fc.assert(
      fc.property(standing, (given) => {
        const counted = countedEvidence(given.evidence, given.requirement);
        if (!given.requirement.secondFactor || (counted && isTwoFactors(counted))) return;
        expect(nextStep(given)).to.be.oneOf(['password', 'second-factor', 'enroll-totp', 'verify-email']);
      }),
      { numRuns: 2000 },
    );
  });

  it('never leaves out a step that nobody may skip', () => {
    fc.assert(
      fc.property(standing, (given) => {
        const step = nextStep(given);
        if (given.unverified) expect(step).to.be.oneOf(['password', 'verify-email']);
        if (given.passwordDue || given.unseenCodes) expect(step).to.not.be.oneOf(['done', 'offer-passkey']);
        if (step === 'change-password') expect(given.passwordDue).to.equal(true);
      }),
    );
  });

  it('never opens an enrolment to somebody who has a second factor already', () => {
    fc.assert(
      fc.property(standing, (given) => {
        if (hasStrong(given)) expect(nextStep(given)).to.not.equal('enroll-totp');
      }),
    );
  });

  it('never asks for less when more is required', () => {
    const order = ['done', 'offer-passkey', 'change-password', 'show-backup-codes', 'second-factor', 'enroll-totp'];
    order.push('verify-email', 'password');
    fc.assert(
      fc.property(standing, (given) => {
        const more = { ...given, requirement: { ...given.requirement, secondFactor: true } };
        const [usual, demanded] = [nextStep(given), nextStep(more)];
        // A password that is too old to be changed is asked for again behind the second door, where there is one to open.
        const later = usual === 'password' && demanded === 'second-factor' && given.evidence;
        const behind =
          later && nextStep({ ...more, evidence: { ...later, methods: [...later.methods, { ...otp, at: 200 }] } });
        if (later) expect([behind, given.passwordDue]).to.deep.equal(['password', true]);
        else expect(order.indexOf(demanded)).to.be.at.least(order.indexOf(usual));
      }),
      {
        numRuns: 2000,
        examples: [
          [
            {
              evidence: {
                accountId: 'acc_alex',
                methods: [
                  { method: 'pwd', at: 0 },
                  { method: 'new_passkey', at: 0 },
                ],
              },
              factors: { password: false, totp: false, backupCodes: 0, passkeys: 1 },
              requirement: { secondFactor: false },
              enrolAfter: 1,
              passwordDue: true,
            },
          ],
        ] as never,
      },
    );
  });
});
