import { expect } from 'chai';
import fc from 'fast-check';
import { hashSecret, matchesSecret, newClientSecret } from '../../src/clients/client-secret.js';
describe('client secrets', () => {
    it('are 256 random bits with a prefix, and not stored', () => {
        const secrets = new Set(Array.from({ length: 200 }, newClientSecret));
        expect(secrets.size).to.equal(200);
        for (const secret of secrets) {
            expect(secret).to.match(/^scs_[A-Za-z0-9_-]{43}$/);
            expect(hashSecret(secret)).to.not.include(secret.slice(4));
        }
    });
    it('match while they live, whichever of several they are', () => {
        const lifetime = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
        fc.assert(fc.property(fc.array(lifetime, { maxLength: 5 }), fc.integer({ min: 0, max: 100 }), (ends, now) => {
            const secrets = ends.map(() => newClientSecret());
            const stored = secrets.map((secret, index) => {
                const expiresAt = ends[index];
                return expiresAt === undefined ? { hash: hashSecret(secret) } : { hash: hashSecret(secret), expiresAt };
            });
            for (const [index, secret] of secrets.entries()) {
                expect(matchesSecret(stored, secret, now)).to.equal((ends[index] ?? 101) > now);
            }
            expect(matchesSecret(stored, newClientSecret(), now)).to.equal(false);
        }), { numRuns: 200, seed: 20261121 });
    });
    it('never match what is empty, stored or nearly right', () => {
        const secret = newClientSecret();
        const stored = [{ hash: hashSecret(secret) }];
        for (const wrong of [
            '',
            hashSecret(secret),
            secret.slice(0, -1),
            `${secret} `,
            secret.toLowerCase(),
            'x'.repeat(100_000),
        ]) {
            expect(matchesSecret(stored, wrong, 0)).to.equal(false);
        }
        expect(matchesSecret([], '', 0)).to.equal(false);
        expect(matchesSecret([], secret, 0)).to.equal(false);
    });
});
