import type { AccessToken, ClientCredentials, Provider, RefreshToken } from 'oidc-provider';
import { looksLikeKey } from '../api-keys/index.ts';
import type { Client } from '../clients/index.ts';
import { introspectKey } from './api-key-tokens.ts';
import type { OidcDomains } from './domains.ts';
import { describeJwt, jwtIsLive, mayIntrospect, subjectIsLive } from './introspection.ts';
import { type createAccessTokenVerifier, looksLikeJwt } from './jwt-access-token.ts';
import { authenticateClient, type PlainRequest, readSecretRequest } from './secret-request.ts';

type Token = AccessToken | ClientCredentials | RefreshToken;
type Answer = Record<string, unknown>;

interface Parts {
  readonly provider: Provider;
  readonly domains: OidcDomains;
  readonly verify: ReturnType<typeof createAccessTokenVerifier>;
  /** For metrics. */
  readonly onAnswer: (active: boolean) => void;
}

const inactive: Answer = { active: false };
const names = new Set(['token', 'token_type_hint']);

function findToken(provider: Provider, token: string): Promise<Token | undefined> | undefined {
  if (token.startsWith('at_')) return provider.AccessToken.find(token);
  if (token.startsWith('cc_')) return provider.ClientCredentials.find(token);
  if (token.startsWith('rt_')) return provider.RefreshToken.find(token);
  return undefined;
}

async function grantIsLive({ provider, domains }: Pick<Parts, 'provider' | 'domains'>, token: Token): Promise<boolean> {
  if (!('grantId' in token) || !token.grantId) return true;
  if (domains.revocations.isRevokedCached([{ kind: 'grant', id: token.grantId }])) return false;
  const grant = await provider.Grant.find(token.grantId);
  return grant !== undefined && grant.clientId === token.clientId && grant.accountId === token.accountId;
}

function describe(provider: Provider, token: Token): Answer {
  const { grant_id: _private, ...extra } = (token as { extra?: Record<string, unknown> }).extra ?? {};
  const thumbprint = {
    ...(token.jkt && { jkt: token.jkt }),
    ...(token['x5t#S256'] && { 'x5t#S256': token['x5t#S256'] }),
  };
  return {
    ...extra,
    active: true,
    sub: 'accountId' in token ? token.accountId : undefined,
    client_id: token.clientId,
    exp: token.exp,
    iat: token.iat,
    sid: 'sid' in token ? token.sid : undefined,
    iss: provider.issuer,
    aud: 'aud' in token ? token.aud : undefined,
    scope: token.scope || undefined,
    cnf: token.isSenderConstrained() ? thumbprint : undefined,
    token_type: token.kind === 'RefreshToken' ? undefined : (token as { tokenType?: string }).tokenType,
  };
}

async function answerOpaque({ provider, domains }: Parts, asker: Client, value: string): Promise<Answer | undefined> {
  if (looksLikeKey(value)) return introspectKey(domains, provider.issuer, asker, value);
  const search = findToken(provider, value);
  if (!search) return undefined;
  const token = await search;
  if (!token?.isValid) return inactive;
  const audience = 'aud' in token ? (token.aud as string | string[] | undefined) : undefined;
  if (!mayIntrospect(asker, { clientId: token.clientId, audience })) return inactive;
  const accountId = 'accountId' in token ? token.accountId : undefined;
  const [grant, subject] = await Promise.all([
    grantIsLive({ provider, domains }, token),
    subjectIsLive(domains, accountId, token.clientId, token.iat),
  ]);
  return grant && subject ? describe(provider, token) : inactive;
}

async function answerJwt({ provider, domains, verify }: Parts, asker: Client, value: string): Promise<Answer> {
  const claims = await verify(value);
  if (!claims || !mayIntrospect(asker, { clientId: claims.client_id, audience: claims.aud })) return inactive;
  const grantExists = async (id: string): Promise<boolean> => (await provider.Grant.find(id)) !== undefined;
  return (await jwtIsLive(domains, claims, grantExists)) ? describeJwt(claims) : inactive;
}

/**
 * Token introspection (RFC 7662) for the request that nearly every service sends: a form, a client secret, one of our
 * tokens. It asks the store only where the token's own prefix points. Whatever else comes is left to oidc-provider (undefined), also
 * every failed authentication, so that refusals have one origin. Both give the same answer; a test compares them.
 */
export const createIntrospectionEndpoint = (parts: Parts) =>
  async function introspectionEndpoint(plain: PlainRequest): Promise<Answer | undefined> {
    const request = readSecretRequest(plain, names);
    const token = request?.fields.token;
    const asker = request && token ? await authenticateClient(parts.domains.clients, request) : undefined;
    if (!token || !asker) return undefined;
    const answer = looksLikeJwt(token) ? await answerJwt(parts, asker, token) : await answerOpaque(parts, asker, token);
    if (answer) parts.onAnswer(answer.active === true);
    return answer;
  };

/**
 * The same question, asked inside this process for a client that has proven itself in another way. Whatever is no token
 * of ours, or none of this client's business, is inactive.
 */
export const createIntrospector =
  (parts: Parts) =>
  async (asker: Client, token: string): Promise<Answer> => {
    const answer = looksLikeJwt(token) ? await answerJwt(parts, asker, token) : await answerOpaque(parts, asker, token);
    parts.onAnswer(answer?.active === true);
    return answer ?? inactive;
  };
