import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';

/** A private JWK that is ready for a JWKS: it says who it is and what it is for. */
export interface SigningJwk extends JWK {
  kid: string;
  alg: string;
  use: 'sig';
}

const pair = promisify(generateKeyPair) as (type: string, options: object) => Promise<{ privateKey: KeyObject }>;

const recipes: Readonly<Record<string, () => Promise<{ privateKey: KeyObject }>>> = {
  ES256: () => pair('ec', { namedCurve: 'P-256' }),
  RS256: () => pair('rsa', { modulusLength: 2048 }),
  EdDSA: () => pair('ed25519', {}),
};

/**
 * Makes a key pair. The `kid` is the thumbprint of the public key (RFC 7638), so no two keys share one; it never starts
 * with a dash, because a command line would take it for an option.
 */
export async function generateKey(alg: string): Promise<SigningJwk> {
  const recipe = recipes[alg];
  if (!recipe) throw new RangeError(`There is no way to make a key for ${alg}.`);
  const { privateKey } = await recipe();
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(jwk, 'sha256');
  return kid.startsWith('-') ? generateKey(alg) : { ...jwk, kid, alg, use: 'sig' };
}

/** What verifiers may see of a key. */
export function publicPart(jwk: SigningJwk): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, oth: _oth, k: _k, ...rest } = jwk;
  return rest;
}
