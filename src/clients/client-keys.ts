import { createPublicKey, type JsonWebKey } from 'node:crypto';

const privateParts = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const curves = new Map<unknown, readonly unknown[]>([
  ['EC', ['P-256', 'P-384', 'P-521']],
  ['OKP', ['Ed25519']],
]);
const maxKeys = 20;
const maxSize = 20_000;

function keyProblem(key: Readonly<Record<string, unknown>>): string | undefined {
  if (privateParts.some((name) => key[name] !== undefined)) return 'It has a private part. Send public keys only.';
  if (key.kty !== 'RSA' && !curves.get(key.kty)?.includes(key.crv)) {
    return 'Use RSA, EC (P-256, P-384, P-521) or OKP (Ed25519).';
  }
  if (key.use !== undefined && key.use !== 'sig' && key.use !== 'enc') return 'Its use is neither sig nor enc.';
  for (const name of ['kid', 'alg']) {
    const value = key[name];
    if (value !== undefined && (typeof value !== 'string' || value === '' || value.length > 200)) {
      return `Its ${name} is not a short text.`;
    }
  }
  if (typeof key.alg === 'string' && key.alg.startsWith('HS')) return 'Symmetric algorithms are not supported.';
  try {
    const size = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails?.modulusLength;
    return size !== undefined && size < 2048 ? 'An RSA key needs 2048 bits or more.' : undefined;
  } catch {
    return 'It is not a usable key.';
  }
}

/** Why this cannot be the key set of a client (RFC 7517 §5), or undefined when it can. */
export function jwksProblem(jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] }): string | undefined {
  if (jwks.keys.length === 0) return 'Give at least one key.';
  if (jwks.keys.length > maxKeys || JSON.stringify(jwks).length > maxSize) return 'It is too large.';
  for (const [index, key] of jwks.keys.entries()) {
    const problem = keyProblem(key);
    if (problem !== undefined) return `Key ${index + 1}: ${problem}`;
  }
  return undefined;
}
