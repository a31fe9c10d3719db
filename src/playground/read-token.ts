import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { reasonOf } from '../shared/errors.ts';
import { claimMeanings, timeClaims } from './meanings.ts';

/** A claim as the page shows it. */
export interface ShownClaim {
  readonly name: string;
  /** As JSON. */
  readonly value: string;
  readonly meaning?: string;
  /** For claims that are times. */
  readonly time?: Date;
}

/** A token taken apart. An opaque one only means something to its issuer. */
export type ReadToken =
  | { readonly format: 'opaque'; readonly raw: string }
  | {
      readonly format: 'jwt';
      readonly raw: string;
      readonly header: string;
      readonly claims: readonly ShownClaim[];
      readonly verified: boolean;
      /** The finding in a sentence. */
      readonly finding: string;
    };

function meaningOf(name: string, claims: Record<string, unknown>): string | undefined {
  if (name === 'sub' && claims.sub === claims.client_id) return 'The machine itself: nobody signed in';
  return claimMeanings[name];
}

const show = (name: string, value: unknown, meaning: string | undefined): ShownClaim => ({
  name,
  value: JSON.stringify(value),
  ...(meaning !== undefined && { meaning }),
  ...(timeClaims.has(name) && typeof value === 'number' && { time: new Date(value * 1000) }),
});

function findingFor(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The signature is good, but the token has expired.';
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer publishes no key with this kid. Refuse the token.';
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return 'The signature is not the issuer’s. Refuse the token.';
  if (error instanceof errors.JWTClaimValidationFailed) return `The signature is good, but ${error.message}.`;
  return `It could not be verified: ${reasonOf(error)}.`;
}

/**
 * Decodes a token, and verifies it against the issuer's keys when it is a JWT: signature, `iss`, times and what
 * `expected` adds. The order of claims is the issuer's.
 */
export async function readToken(
  raw: string,
  keys: JWTVerifyGetKey,
  expected: { readonly issuer: string; readonly audience?: string; readonly typ?: string; readonly now: Date },
): Promise<ReadToken> {
  if (raw.split('.').length !== 3) return { format: 'opaque', raw };
  let header: Record<string, unknown>;
  let payload: Record<string, unknown>;
  try {
    header = { ...decodeProtectedHeader(raw) };
    payload = { ...decodeJwt(raw) };
  } catch {
    return { format: 'opaque', raw };
  }
  const claims = Object.entries(payload).map(([name, value]) => show(name, value, meaningOf(name, payload)));
  const shown = { format: 'jwt', raw, header: JSON.stringify(header), claims } as const;
  try {
    const { now, ...checks } = expected;
    await jwtVerify(raw, keys, { ...checks, currentDate: now, clockTolerance: 5 });
    const key = typeof header.kid === 'string' ? ` with the key ${header.kid}` : '';
    return { ...shown, verified: true, finding: `Signed ${header.alg}${key}, verified against the issuer’s JWKS.` };
  } catch (error) {
    return { ...shown, verified: false, finding: findingFor(error) };
  }
}
