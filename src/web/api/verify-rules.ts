import { shortfallOf, type TokenFacts } from '../../forward-auth/index.ts';

/** Why a token is not good enough. */
export const reasonCodes = ['inactive', 'audience', 'scope', 'permission', 'acr', 'max_age', 'proof'] as const;

export interface Reason {
  readonly code: (typeof reasonCodes)[number];
  readonly text: string;
  readonly missing?: readonly string[];
}

/** What a service wants of a token. */
export interface Question {
  readonly audience?: string | undefined;
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  readonly acr?: 'aal1' | 'aal2' | undefined;
  /** Seconds. */
  readonly max_age?: number | undefined;
  /** Of the key whose proof the service has checked. */
  readonly jkt?: string | undefined;
}

/** Everything that speaks against a token, in the order of the codes; nothing when it is good for what is asked. */
export function judge(facts: TokenFacts, question: Question, now: number): readonly Reason[] {
  if (facts.active !== true) return [{ code: 'inactive', text: 'It is no good token, or not for this client.' }];
  const { audience, scopes, permissions, acr, max_age: maxAge, jkt: provenKey } = question;
  const wanted = {
    ...(audience !== undefined && { audience }),
    scopes,
    permissions,
    ...(acr !== undefined && { acr }),
    ...(maxAge !== undefined && { maxAge }),
  };
  const short = shortfallOf(facts, wanted, now, { provenKey });
  const reasons: Reason[] = [];
  if (short.audience) reasons.push({ code: 'audience', text: 'It is for another API.' });
  if (short.scopes.length > 0) reasons.push({ code: 'scope', text: 'It lacks a scope.', missing: short.scopes });
  if (short.permissions.length > 0) {
    reasons.push({ code: 'permission', text: 'It lacks a permission.', missing: short.permissions });
  }
  if (short.acr) reasons.push({ code: 'acr', text: 'The sign-in behind it was not strong enough.' });
  if (short.maxAge) reasons.push({ code: 'max_age', text: 'The sign-in behind it is too old.' });
  if (short.proof) {
    reasons.push({ code: 'proof', text: 'It is bound to a key, and no proof of that key was checked.' });
  }
  return reasons;
}
