import { type CryptoKey, importJWK, type JWTPayload, SignJWT } from 'jose';
import type { KeySet } from '../keys/index.ts';
import { AppError } from '../shared/errors.ts';

/** Signs statements of the issuer that are no access and no ID tokens; `typ` keeps the kinds apart (RFC 8725 §3.11). */
export interface TokenSigner {
  /** @throws AppError `unavailable` when there is no key of that algorithm. */
  sign(alg: string, typ: string, claims: JWTPayload): Promise<string>;
  /** Changes when the keys do. */
  version(): string;
}

/** Signs with the keys of the moment; each is imported once. */
export function createTokenSigner(keys: { current(): KeySet }): TokenSigner {
  const imported = new WeakMap<object, Promise<CryptoKey | Uint8Array>>();
  return {
    version: () => keys.current().version,
    async sign(alg, typ, claims) {
      const jwk = keys.current().signing.find((key) => key.alg === alg);
      if (!jwk?.kid) throw new AppError('unavailable', 'The server has no key to sign this with.', { reason: alg });
      const key = imported.get(jwk) ?? importJWK(jwk, alg);
      imported.set(jwk, key);
      return new SignJWT(claims).setProtectedHeader({ alg, kid: jwk.kid, typ }).sign(await key);
    },
  };
}
