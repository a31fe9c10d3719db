import type { ChallengeContext } from './access-error.ts';

/** Claims of an access token; frozen, because requests with the same token share them. */
export interface AccessClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  readonly exp?: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly client_id?: string;
  readonly scope?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly auth_time?: number;
  readonly permissions?: readonly string[];
  readonly roles?: readonly (string | { readonly value: string })[];
  readonly cnf?: { readonly jkt?: string; readonly 'x5t#S256'?: string };
  readonly status?: { readonly status_list?: { readonly idx: number; readonly uri: string } };
  readonly [claim: string]: unknown;
}

/** A token that was found good for this request. */
export interface Access {
  readonly claims: AccessClaims;
  readonly scopes: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
  /** How to ask for another token. */
  readonly challenge: ChallengeContext;
}

/** Freezes what `JSON.parse` made, all the way down. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freezeDeep(inner);
  }
  return value;
}

/** The scopes of a claim (RFC 6749 §3.3). */
export const scopesOf = ({ scope }: AccessClaims): ReadonlySet<string> =>
  new Set(typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []);
