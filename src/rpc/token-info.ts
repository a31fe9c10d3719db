import { audiencesOf, listOf, type TokenFacts } from '../forward-auth/index.ts';

/** `sallyport.v1.TokenInfo`. What is left out has its default. */
export type TokenInfo = Readonly<Record<string, unknown>> & { readonly active: boolean };

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);

/** An introspection response as a message. */
export function toTokenInfo(facts: TokenFacts): TokenInfo {
  if (facts.active !== true) return { active: false };
  const bound = (facts.cnf ?? {}) as Readonly<Record<string, unknown>>;
  return {
    active: true,
    subject: text(facts.sub),
    clientId: text(facts.client_id),
    audience: audiencesOf(facts.aud),
    scopes: listOf(facts.scope),
    permissions: listOf(facts.permissions),
    expiresAt: number(facts.exp),
    issuedAt: number(facts.iat),
    authTime: number(facts.auth_time),
    issuer: text(facts.iss),
    tokenType: text(facts.token_type),
    acr: text(facts.acr),
    amr: listOf(facts.amr),
    keyThumbprint: text(bound.jkt),
    certificateThumbprint: text(bound['x5t#S256']),
    claimsJson: JSON.stringify(facts),
  };
}
