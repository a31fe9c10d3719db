import { expect } from 'chai';
import fc from 'fast-check';
import { asAccountId } from '../../src/shared/ids.js';
import { nextStep } from '../../src/sign-in/next-step.js';
const alex = asAccountId('acc_alex');
const kim = asAccountId('acc_kim');
const none = { password: true, totp: false, backupCodes: 0 };
const enrolled = { password: true, totp: true, backupCodes: 10 };
const pwd = { method: 'pwd', at: 100 };
const otp = { method: 'otp', at: 110 };
const by = (...methods) => ({ accountId: alex, methods });
const free = { secondFactor: false };
const strict = { secondFactor: true };
const standing = fc.record({
    evidence: fc.option(fc.record({
        accountId: fc.constantFrom(alex, kim),
        methods: fc.array(fc.record({
            method: fc.constantFrom('pwd', 'otp', 'backup_code'),
            at: fc.integer({ min: 0, max: 200 }),
        }), { maxLength: 4 }),
    }), { nil: undefined }),
    factors: fc.record({ password: fc.boolean(), totp: fc.boolean(), backupCodes: fc.integer({ min: 0, max: 10 }) }),
    requirement: fc.record({
        secondFactor: fc.boolean(),
        freshAfter: fc.integer({ min: 0, max: 200 }),
        accountId: fc.constantFrom(alex, kim),
    }, { requiredKeys: ['secondFactor'] }),
    ...{
        enrolAfter: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
        unseenCodes: fc.boolean(),
    },
});
const has = ({ evidence, requirement }, ...methods) => evidence?.methods.some(({ method, at }) => methods.includes(method) && (requirement.freshAfter === undefined || at >= requirement.freshAfter)) === true;
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
    it('never is done, nor past the password, without one that counts', () => {
        fc.assert(fc.property(standing, (given) => {
            const rightAccount = given.requirement.accountId === undefined || given.requirement.accountId === given.evidence?.accountId;
            const step = nextStep(given);
            if (!has(given, 'pwd') || !rightAccount)
                expect(step).to.equal('password');
        }));
    });
    it('never is done for somebody with a second factor, or of whom one is asked, without it', () => {
        fc.assert(fc.property(standing, (given) => {
            const due = given.factors.totp || given.factors.backupCodes > 0 || given.requirement.secondFactor;
            const step = nextStep(given);
            if (due && !has(given, 'otp', 'backup_code'))
                expect(step).to.not.be.oneOf(['done', 'show-backup-codes']);
            if (given.requirement.secondFactor && !given.factors.totp && given.factors.backupCodes === 0) {
                expect(step).to.be.oneOf(['password', 'enroll-totp']);
            }
            if (given.unseenCodes)
                expect(step).to.not.equal('done');
        }));
    });
    it('never opens an enrolment to somebody who has a second factor already', () => {
        fc.assert(fc.property(standing, (given) => {
            if (given.factors.totp || given.factors.backupCodes > 0)
                expect(nextStep(given)).to.not.equal('enroll-totp');
        }));
    });
    it('never asks for less when more is required', () => {
        const order = ['done', 'show-backup-codes', 'second-factor', 'enroll-totp', 'password'];
        fc.assert(fc.property(standing, (given) => {
            const more = { ...given, requirement: { ...given.requirement, secondFactor: true } };
            expect(order.indexOf(nextStep(more))).to.be.at.least(order.indexOf(nextStep(given)));
        }));
    });
});
