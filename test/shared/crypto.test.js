import { expect } from 'chai';
import { SecretRing } from '../../src/shared/crypto.js';
const place = { table: 'totp', id: 'acc_1', column: 'secret' };
const old = 'a'.repeat(40);
const fresh = 'b'.repeat(40);
describe('SecretRing', () => {
    it('opens what it sealed, also after a newer secret was put in front', () => {
        const sealed = new SecretRing([old]).seal('JBSWY3DP', place);
        const ring = new SecretRing([fresh, old]);
        expect(ring.open(sealed, place)).to.equal('JBSWY3DP');
        expect(ring.isStale(sealed)).to.equal(true);
        expect(ring.isStale(ring.seal('x', place))).to.equal(false);
    });
    it('refuses a value that was moved to another row, changed, or sealed with a secret it lacks', () => {
        const ring = new SecretRing([old]);
        const sealed = ring.seal('JBSWY3DP', place);
        expect(() => ring.open(sealed, { ...place, id: 'acc_2' })).to.throw();
        expect(() => ring.open(`${sealed.slice(0, -2)}AA`, place)).to.throw();
        expect(() => new SecretRing([fresh]).open(sealed, place)).to.throw(/SALLYPORT_SECRETS/);
    });
    it('keeps MACs of one purpose out of another and accepts those of an older secret', () => {
        const mac = new SecretRing([old]).mac('csrf', 'v');
        const ring = new SecretRing([fresh, old]);
        expect(ring.verifyMac('csrf', 'v', mac)).to.equal(true);
        expect(ring.verifyMac('link', 'v', mac)).to.equal(false);
        expect(ring.verifyMac('csrf', 'w', mac)).to.equal(false);
    });
    it('refuses short secrets and an empty ring', () => {
        expect(() => new SecretRing(['short'])).to.throw(RangeError);
        expect(() => new SecretRing([])).to.throw(RangeError);
    });
});
