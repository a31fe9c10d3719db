import { expect } from 'chai';
import fc from 'fast-check';
import { asAccountId } from '../../src/shared/ids.ts';
import { describeEvidence, type Evidence, readEvidence, withMethod } from '../../src/sign-in/evidence.ts';

const alex = asAccountId('acc_alex');
const kim = asAccountId('acc_kim');
const evidence = (...methods: Evidence['methods']): Evidence => ({ accountId: alex, methods });

describe('evidence', () => {
  it('says one factor for a password', () => {
    expect(describeEvidence(evidence({ method: 'pwd', at: 100 }))).to.deep.equal({
      amr: ['pwd'],
      acr: 'aal1',
      authTime: 100,
    });
  });

  it('says two factors for a password with a code, and dates them by the older', () => {
    const totp = evidence({ method: 'pwd', at: 100 }, { method: 'otp', at: 130 });
    expect(describeEvidence(totp)).to.deep.equal({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2', authTime: 100 });
    const backup = evidence({ method: 'pwd', at: 200 }, { method: 'backup_code', at: 150 });
    expect(describeEvidence(backup)).to.deep.equal({ amr: ['pwd', 'backup_code', 'mfa'], acr: 'aal2', authTime: 150 });
  });

  it('does not call a code alone two factors', () => {
    const both = evidence({ method: 'otp', at: 1 }, { method: 'backup_code', at: 2 });
    expect(describeEvidence(both).acr).to.equal('aal1');
    expect(describeEvidence(both).amr).to.not.include('mfa');
  });

  it('keeps the latest use of a method and never mixes accounts', () => {
    const once = withMethod(undefined, alex, 'pwd', 100);
    const again = withMethod(withMethod(once, alex, 'otp', 110), alex, 'pwd', 200);
    expect(again.methods).to.have.deep.members([
      { method: 'otp', at: 110 },
      { method: 'pwd', at: 200 },
    ]);
    expect(withMethod(again, kim, 'pwd', 300)).to.deep.equal({ accountId: kim, methods: [{ method: 'pwd', at: 300 }] });
  });

  it('says of a passkey what it was, and two factors only for one that checked the person or came with a password', () => {
    const key = { method: 'passkey', at: 100, synced: true } as const;
    expect(describeEvidence(evidence({ ...key, userVerified: true }))).to.deep.equal({
      amr: ['swk', 'user', 'mfa'],
      acr: 'aal2',
      authTime: 100,
    });
    const touched = { ...key, userVerified: false, synced: false };
    expect(describeEvidence(evidence(touched))).to.deep.include({ amr: ['hwk', 'user'], acr: 'aal1' });
    const both = describeEvidence(evidence({ method: 'pwd', at: 90 }, touched));
    expect(both).to.deep.equal({ amr: ['pwd', 'hwk', 'user', 'mfa'], acr: 'aal2', authTime: 90 });
  });

  it('never calls a mailbox or a remembered browser a second factor', () => {
    const pwd = { method: 'pwd', at: 1 } as const;
    for (const method of ['email', 'device'] as const) {
      const { acr, amr } = describeEvidence(evidence(pwd, { method, at: 1 }));
      expect(acr).to.equal('aal1');
      expect(amr).to.not.include('mfa').and.not.include('otp');
    }
    const mailed = describeEvidence(evidence({ method: 'email', at: 1 }, { method: 'otp', at: 1 }));
    expect(mailed.acr).to.equal('aal1');
  });

  it('does not say that a browser was remembered where two factors were shown', () => {
    const all = evidence({ method: 'pwd', at: 5 }, { method: 'device', at: 1 }, { method: 'otp', at: 6 });
    expect(describeEvidence(all)).to.deep.equal({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2', authTime: 5 });
  });

  it('is read back from a session as no more than it was', () => {
    const proof = fc.oneof(
      fc.record({
        method: fc.constantFrom('pwd', 'otp', 'backup_code', 'email', 'device', 'new_passkey'),
        at: fc.constant(7),
      }),
      fc.record({
        method: fc.constant('passkey'),
        at: fc.constant(7),
        userVerified: fc.boolean(),
        synced: fc.boolean(),
      }),
    );
    const proofs = fc.uniqueArray(proof, { selector: ({ method }) => method, minLength: 1 });
    fc.assert(
      fc.property(proofs, (methods) => {
        const said = describeEvidence(evidence(...(methods as Evidence['methods'])));
        const again = describeEvidence(readEvidence(alex, said.amr, said.authTime));
        expect(new Set(again.amr)).to.deep.equal(new Set(said.amr));
        expect(again).to.include({ acr: said.acr, authTime: said.authTime });
      }),
    );
  });
});
