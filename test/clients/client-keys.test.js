import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { jwksProblem } from '../../src/clients/client-keys.js';
const jwk = (key) => ({ ...key.export({ format: 'jwk' }) });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const good = jwk(ec.publicKey);
describe('key sets of clients', () => {
    it('may hold the public keys that we can use', () => {
        const keys = [good, jwk(ed.publicKey), { ...jwk(rsa.publicKey), kid: 'a', alg: 'RS256', use: 'sig' }];
        expect(jwksProblem({ keys })).to.equal(undefined);
    });
    const refused = [
        ['a private EC key', jwk(ec.privateKey)],
        ['a private RSA key', jwk(rsa.privateKey)],
        ['a private Ed25519 key', jwk(ed.privateKey)],
        ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
        ['a public key with a symmetric part', { ...good, k: 'c2VjcmV0' }],
        ['a weak RSA key', jwk(weak.publicKey)],
        ['a point that is not on the curve', { ...good, x: good.y }],
        ['another curve', { kty: 'EC', crv: 'secp256k1', x: good.x, y: good.y }],
        ['no type', { x: good.x }],
        ['a type of another world', { kty: '__proto__' }],
        ['a symmetric algorithm', { ...good, alg: 'HS256' }],
        ['a kid that is no text', { ...good, kid: 7 }],
        ['another use', { ...good, use: 'all' }],
    ];
    for (const [what, key] of refused) {
        it(`may not hold ${what}`, () => {
            expect(jwksProblem({ keys: [key] })).to.be.a('string');
            expect(jwksProblem({ keys: [good, key] })).to.match(/^Key 2: /);
        });
    }
    it('may be neither empty nor endless', () => {
        expect(jwksProblem({ keys: [] })).to.be.a('string');
        expect(jwksProblem({ keys: Array.from({ length: 21 }, () => good) })).to.be.a('string');
        expect(jwksProblem({ keys: [{ ...good, x5c: ['a'.repeat(20_000)] }] })).to.be.a('string');
    });
});
