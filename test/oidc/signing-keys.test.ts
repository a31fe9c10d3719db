import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { compactVerify, importJWK, type JWK } from 'jose';
import type { ExternalSigningKey } from 'oidc-provider';
import { signingKeys } from '../../src/oidc/signing-keys.ts';

const jwkOf = (key: KeyObject, alg: string): JWK => ({ ...(key.export({ format: 'jwk' }) as JWK), kid: alg, alg });
const makers = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;

describe('signing keys', () => {
  for (const [alg, make] of Object.entries(makers)) {
    it(`signs ${alg} so that others verify it, whatever numbers a signature has`, async () => {
      const pair = make();
      const [key] = signingKeys([jwkOf(pair.privateKey, alg)]).keys as ExternalSigningKey[];
      const verifier = await importJWK(jwkOf(pair.publicKey, alg), alg);
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      // One number in 128 is shorter than 32 bytes, so some of these are.
      for (let turn = 0; turn < 600; turn += 1) {
        const text = `${header}.${Buffer.from(String(turn)).toString('base64url')}`;
        const signature = Buffer.from((await key?.sign(Buffer.from(text))) ?? []);
        expect(signature).to.have.length(64);
        const verified = await compactVerify(`${text}.${signature.toString('base64url')}`, verifier);
        expect(Buffer.from(verified.payload).toString()).to.equal(String(turn));
      }
      expect(key).to.include({ kid: alg, alg, use: 'sig' });
    });
  }

  it('publishes nothing private, and leaves RSA to the library', () => {
    const { privateKey } = makers.ES256();
    const jwk = jwkOf(privateKey, 'ES256');
    const rsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'RS256');
    const [first, second] = signingKeys([jwk, rsa]).keys as [ExternalSigningKey, JWK];
    expect([first.kty, first.crv, first.x, first.y]).to.deep.equal(['EC', 'P-256', jwk.x, jwk.y]);
    expect(JSON.stringify(first)).to.not.include(jwk.d);
    expect('d' in first).to.equal(false);
    expect(second).to.equal(rsa);
  });
});
