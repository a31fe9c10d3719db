import { errors, jwtVerify } from 'jose';
import type { AccessClaims } from './access.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Settings } from './settings.ts';

/** A JWT that is no access token for this API; the message says why, for the log. */
export class NotAToken extends Error {}

/** Whether this could be a JWS in compact form. */
export const looksLikeJwt = (token: string): boolean => /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/** Failures of ours or the issuer's, not of the token. */
const isOurs = (error: unknown): boolean => !(error instanceof errors.JOSEError);

/** `aud` as RFC 7519 §4.1.3 has it; anything else names nobody. */
export function isForUs({ aud }: Pick<AccessClaims, 'aud'>, audience: readonly string[]): boolean {
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return all.every((one) => typeof one === 'string') && all.some((one) => audience.includes(one as string));
}

/** Checks `exp` and `nbf` against the clock, in milliseconds. */
export function isOfNow({ exp, nbf }: AccessClaims, now: number, toleranceSeconds: number): boolean {
  const seconds = now / 1000;
  if (typeof exp !== 'number' || !(exp + toleranceSeconds > seconds)) return false;
  return nbf === undefined || (typeof nbf === 'number' && nbf - toleranceSeconds <= seconds);
}

/**
 * Verifies an RFC 9068 access token by the issuer's keys alone (§4 there): type, algorithm, signature, issuer, audience,
 * time, and the claims that every such token has. Keys and addresses in its header are never used.
 * @throws NotAToken, or whatever kept the keys from being fetched.
 */
export async function verifyJwt(token: string, keys: IssuerKeys, settings: Settings): Promise<AccessClaims> {
  const { issuer, audience, algorithms, toleranceSeconds, now } = settings;
  const { payload } = await jwtVerify(token, keys.find, {
    typ: 'at+jwt',
    issuer,
    audience: [...audience],
    algorithms: [...algorithms],
    clockTolerance: toleranceSeconds,
    currentDate: new Date(now()),
    requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
  }).catch((error: unknown) => {
    if (isOurs(error)) throw error;
    throw new NotAToken((error as Error).message, { cause: error });
  });
  const claims = payload as AccessClaims;
  if (!isForUs(claims, audience)) throw new NotAToken('unexpected "aud" claim value');
  return claims;
}
