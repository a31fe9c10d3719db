import type { Requirement } from './requirement.ts';

/** An introspection response (RFC 7662 §2.2). */
export type TokenFacts = Readonly<Record<string, unknown>>;

/** Why a token does not do; the first of several is what its bearer is told. */
export type Reason =
  | 'inactive'
  | 'not_an_access_token'
  | 'bound_to_a_key'
  | 'wrong_audience'
  | 'insufficient_scope'
  | 'insufficient_permissions'
  | 'insufficient_authentication';

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** The values of a claim that is a list, a text with spaces between, or not there. */
export const listOf = (value: unknown): string[] =>
  typeof value === 'string' ? value.split(' ').filter((part) => part !== '') : strings(value);

const audiences = (value: unknown): string[] => (typeof value === 'string' ? [value] : strings(value));

const isSure = (acr: unknown, wanted: 'aal1' | 'aal2'): boolean => acr === 'aal2' || acr === wanted;

/** Whether a confirmation claim (RFC 7800) asks for nothing but this key. */
function isProven(cnf: unknown, provenKey: string | undefined): boolean {
  if (cnf === undefined) return true;
  const bound = Object.values(cnf ?? {});
  return provenKey !== undefined && bound.length > 0 && bound.every((one) => one === provenKey);
}

/** Whether a sign-in is as strong and as fresh as asked for (RFC 9470). Times in seconds. */
export function isFreshEnough(
  { acr, authTime }: { readonly acr?: unknown; readonly authTime?: unknown },
  wanted: Pick<Requirement, 'acr' | 'maxAge'>,
  now: number,
): boolean {
  if (wanted.acr !== undefined && !isSure(acr, wanted.acr)) return false;
  return wanted.maxAge === undefined || (typeof authTime === 'number' && now - authTime <= wanted.maxAge);
}

/**
 * What is wrong with a token, everything at once; nothing when it may pass. `provenKey` is the thumbprint of the key or
 * certificate that its bearer has shown; without it, a token that is bound to one (RFC 7800) is worth nothing. `now` in seconds.
 */
export function judgeToken(
  facts: TokenFacts,
  wanted: Requirement,
  now: number,
  { provenKey }: { readonly provenKey?: string } = {},
): Reason[] {
  if (facts.active !== true) return ['inactive'];
  // Only access tokens have a type; a refresh token can be asked about as well.
  if (typeof facts.token_type !== 'string') return ['not_an_access_token'];
  const reasons: Reason[] = [];
  if (!isProven(facts.cnf, provenKey)) reasons.push('bound_to_a_key');
  if (wanted.audience === undefined || !audiences(facts.aud).includes(wanted.audience)) reasons.push('wrong_audience');
  const scopes = listOf(facts.scope);
  if (!wanted.scopes.every((scope) => scopes.includes(scope))) reasons.push('insufficient_scope');
  const permissions = listOf(facts.permissions);
  if (!wanted.permissions.every((one) => permissions.includes(one))) reasons.push('insufficient_permissions');
  if (!isFreshEnough({ acr: facts.acr, authTime: facts.auth_time }, wanted, now)) {
    reasons.push('insufficient_authentication');
  }
  return reasons;
}
