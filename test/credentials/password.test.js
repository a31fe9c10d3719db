import { expect } from 'chai';
import { dummyHash, isStale, maxPasswordLength, missingWork, normalisePassword, readCost, toPhc, } from '../../src/credentials/password.js';
const current = { memoryKiB: 19456, passes: 2 };
const phc = (cost) => toPhc(cost, Buffer.alloc(16), Buffer.alloc(32));
describe('normalisePassword', () => {
    it('makes one password of two Unicode forms, and keeps case and spaces', () => {
        expect(normalisePassword('caf\u00e9')).to.equal(normalisePassword('cafe\u0301'));
        expect(normalisePassword('\u2460')).to.equal('1');
        expect(normalisePassword(' Gate ')).to.equal(' Gate ');
    });
    it('counts code points, not UTF-16 units', () => {
        expect(normalisePassword('\u{1F511}'.repeat(maxPasswordLength))).to.be.a('string');
        expect(normalisePassword('\u{1F511}'.repeat(maxPasswordLength + 1))).to.equal(undefined);
    });
    it('refuses nothing, too much, what grows too long, and broken UTF-16', () => {
        for (const bad of ['', 'a'.repeat(257), 'a'.repeat(1_000_000), '\ufdfa'.repeat(20), 'a\ud800', '\udc00']) {
            expect(normalisePassword(bad), JSON.stringify(bad.slice(0, 8))).to.equal(undefined);
        }
        expect(normalisePassword('a'.repeat(256))).to.have.length(256);
    });
});
describe('stored hashes', () => {
    it('are read whatever the order of their parameters', () => {
        expect(readCost('$argon2id$v=19$m=64,p=1,t=3$AAAA$AAAA')).to.deep.equal({ memoryKiB: 64, passes: 3, ours: true });
        for (const bad of ['', 'x', '$2b$10$abc', '$argon2id$v=19$m=a,t=2,p=1$A$A', '$argon2id$v=19$m=64$A$A']) {
            expect(readCost(bad), bad).to.equal(undefined);
        }
    });
    it('are stale at another cost, type, version or number of lanes', () => {
        expect(isStale(phc(current), current)).to.equal(false);
        expect(isStale(phc({ memoryKiB: 19456, passes: 3 }), current)).to.equal(true);
        expect(isStale(phc({ memoryKiB: 7168, passes: 2 }), current)).to.equal(true);
        for (const foreign of [
            '$argon2i$v=19$m=19456,t=2,p=1$A$A',
            '$argon2id$m=19456,t=2,p=1$A$A',
            '$argon2id$v=19$m=19456,t=2,p=4$A$A',
        ]) {
            expect(isStale(foreign, current), foreign).to.equal(true);
        }
    });
    it('owe the work that the current cost would have taken', () => {
        expect(missingWork(phc(current), current)).to.equal(undefined);
        expect(missingWork(phc({ memoryKiB: 65536, passes: 3 }), current)).to.equal(undefined);
        const owed = missingWork(phc({ memoryKiB: 7168, passes: 1 }), current);
        expect(7168 + owed.memoryKiB * owed.passes).to.be.closeTo(19456 * 2, 2);
        expect(missingWork('nonsense', current)).to.deep.equal(current);
    });
    it('have a dummy that is like a real one and like no other dummy', () => {
        expect(readCost(dummyHash(current))).to.deep.equal({ ...current, ours: true });
        expect(dummyHash(current)).to.have.length(phc(current).length);
        expect(dummyHash(current)).to.not.equal(dummyHash(current));
    });
});
