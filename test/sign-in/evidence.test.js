import { expect } from 'chai';
import { asAccountId } from '../../src/shared/ids.js';
import { describeEvidence, withMethod } from '../../src/sign-in/evidence.js';
const alex = asAccountId('acc_alex');
const kim = asAccountId('acc_kim');
const evidence = (...methods) => ({ accountId: alex, methods });
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
});
