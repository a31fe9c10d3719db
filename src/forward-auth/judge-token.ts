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

/** `aud` as a list; a text is one audience, also with spaces in it. */
export const audiencesOf = (value: unknown): string[] => (typeof value === 'string' ? [value] : strings(value));

const lacking = (wanted: readonly string[], had: readonly string[]): string[] =>
  [...new Set(wanted)].filter((one) => !had.includes(one));

const isSure = (acr: unknown, wanted: Requirement['acr']): boolean =>
  wanted === undefined || acr === 'aal2' || acr === wanted;

const isRecent = (authTime: unknown, maxAge: number | undefined, now: number): boolean =>
  maxAge === undefined || (typeof authTime === 'number' && now - authTime <= maxAge);

/** Whether a confirmation claim (RFC 7800) asks for nothing but this key. */
function isProven(cnf: unknown, provenKey: string | undefined): boolean {
  if (cnf === undefined) return true;
  const bound = Object.values(cnf ?? {});
  return provenKey !== undefined && bound.length > 0 && bound.every((one) => one === provenKey);
}

/** Whether a sign-in is as strong and as fresh as asked for (RFC 9470). Times in seconds. */
export const isFreshEnough = (
  { acr, authTime }: { readonly acr?: unknown; readonly authTime?: unknown },
  wanted: Pick<Requirement, 'acr' | 'maxAge'>,
  now: number,
): boolean => isSure(acr, wanted.acr) && isRecent(authTime, wanted.maxAge, now);

/** What a token falls short in. */
export interface Shortfall {
  readonly audience: boolean;
  /** Those that it lacks. */
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  readonly acr: boolean;
  readonly maxAge: boolean;
  /** It is bound to a key (RFC 7800) that its bearer has not shown. */
  readonly proof: boolean;
}

/**
 * Compares a good token with what is asked of it; what is not asked for is not looked at. `provenKey` is the thumbprint of
 * the key or certificate that its bearer has shown. `now` in seconds.
 */
export function shortfallOf(
  facts: TokenFacts,
  wanted: Requirement,
  now: number,
  { provenKey }: { readonly provenKey?: string | undefined } = {},
): Shortfall {
  return {
    audience: wanted.audience !== undefined && !audiencesOf(facts.aud).includes(wanted.audience),
    scopes: lacking(wanted.scopes, listOf(facts.scope)),
    permissions: lacking(wanted.permissions, listOf(facts.permissions)),
    acr: !isSure(facts.acr, wanted.acr),
    maxAge: !isRecent(facts.auth_time, wanted.maxAge, now),
    proof: !isProven(facts.cnf, provenKey),
  };
}

/**
 * What is wrong with a token, everything at once; nothing when it may pass. Without a `provenKey`, a token that is bound to
 * a key is worth nothing; without an audience in the rule, every token is for another API. `now` in seconds.
 */
export function judgeToken(
  facts: TokenFacts,
  wanted: Requirement,
  now: number,
  proof: { readonly provenKey?: string } = {},
): Reason[] {
  if (facts.active !== true) return ['inactive'];
  // Only access tokens have a type; a refresh token can be asked about as well.
  if (typeof facts.token_type !== 'string') return ['not_an_access_token'];
  const short = shortfallOf(facts, wanted, now, proof);
  const reasons: Reason[] = [];
  if (short.proof) reasons.push('bound_to_a_key');
  if (wanted.audience === undefined || short.audience) reasons.push('wrong_audience');
  if (short.scopes.length > 0) reasons.push('insufficient_scope');
  if (short.permissions.length > 0) reasons.push('insufficient_permissions');
  if (short.acr || short.maxAge) reasons.push('insufficient_authentication');
  return reasons;
}
