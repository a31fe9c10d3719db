import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import type { JWK } from 'jose';
import { ExternalSigningKey, type JWKS } from 'oidc-provider';

/** The digest to sign; EdDSA brings its own. */
const digests: Readonly<Record<string, string | null>> = { ES256: 'sha256', EdDSA: null };

const half = 32;

/**
 * The two numbers of an ECDSA signature on P-256 side by side, as JWS has them (RFC 7518 §3.4), from DER, as OpenSSL does.
 * Node converts as well, but only in a call that costs more than twice the signature.
 */
function sideBySide(der: Buffer): Buffer {
  const joined = Buffer.alloc(2 * half);
  let at = 2;
  for (const end of [half, 2 * half]) {
    const length = der.readUInt8(at + 1);
    // A number has a zero in front when its first bit is set, and none of its own leading zeros.
    const number = der.subarray(at + 2, at + 2 + length).subarray(-half);
    joined.set(number, end - number.length);
    at += 2 + length;
  }
  return joined;
}

/**
 * A key that signs with node:crypto, in the calling thread. A signature of these algorithms is shorter work than handing
 * it to the thread pool, and it does not wait there behind password hashes and files.
 */
class DirectSigningKey extends ExternalSigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #digest: string | null;

  constructor(jwk: JWK, digest: string | null) {
    super();
    this.#private = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
    this.#public = createPublicKey(this.#private);
    this.#digest = digest;
    Object.assign(this, { kid: jwk.kid, alg: jwk.alg });
  }

  override keyObject(): KeyObject {
    return this.#public;
  }

  override async sign(data: Uint8Array): Promise<Buffer> {
    const signature = sign(this.#digest, data, this.#private);
    return this.#digest === null ? signature : sideBySide(signature);
  }
}

/** Private JWKs as oidc-provider takes them. RSA stays with the library: at 0.7 ms a signature belongs in the pool. */
export const signingKeys = (keys: readonly JWK[]): JWKS => ({
  keys: keys.map((jwk) => {
    const digest = digests[jwk.alg ?? ''];
    return digest === undefined ? (jwk as JWKS['keys'][number]) : new DirectSigningKey(jwk, digest);
  }),
});
