import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';

/** Whether this looks like a JWS in compact form; says nothing about its signature. */
export function looksLikeJwt(token: string): boolean {
  // Our opaque tokens never start like this, and a decoder that throws is slow.
  if (!token.startsWith('ey')) return false;
  try {
    return decodeProtectedHeader(token).alg !== undefined;
  } catch {
    return false;
  }
}

export interface VerifiedAccessToken extends JWTPayload {
  readonly jti: string;
  readonly client_id: string;
  readonly exp: number;
  readonly grant_id?: string;
  readonly scope?: string;
  /** Seconds since the epoch; absent where nobody was there for it. */
  readonly auth_time?: number;
}

/** Verifies our own RFC 9068 access tokens; the key set is imported once per version. */
export function createAccessTokenVerifier(issuer: string, keys: () => { version: string; public: JSONWebKeySet }) {
  let known = { version: '', keySet: createLocalJWKSet({ keys: [] }) };

  /** The claims, or undefined for whatever is not a live access token of ours: forged, expired, of another type. */
  return async (token: string): Promise<VerifiedAccessToken | undefined> => {
    const { version, public: jwks } = keys();
    if (known.version !== version) known = { version, keySet: createLocalJWKSet(jwks) };
    try {
      const { payload } = await jwtVerify(token, known.keySet, {
        issuer,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256', 'EdDSA', 'Ed25519'],
        requiredClaims: ['jti', 'client_id', 'exp', 'aud'],
      });
      return payload as VerifiedAccessToken;
    } catch {
      return undefined;
    }
  };
}
