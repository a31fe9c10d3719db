import type { AccessToken, Account, Client, Grant, Provider, RefreshToken } from 'oidc-provider';
import type { ArtifactPayload, NewToken } from './artifact-store.ts';
import type { PlainAnswer } from './client-credentials-endpoint.ts';
import { noteSource } from './token-claims.ts';

/** What the tokens of a refresh are made from. */
export interface RefreshSource {
  readonly token: RefreshToken;
  readonly grant: Grant;
  readonly account: Account;
  readonly client: Client;
  /** What the access token is for; undefined for the userinfo endpoint. */
  readonly resource: InstanceType<Provider['ResourceServer']> | undefined;
}

interface RefreshedTokens {
  readonly answer: PlainAnswer;
  /** What has to be stored before anybody is told the answer. */
  readonly stored: [NewToken, ...NewToken[]];
  readonly format: 'jwt' | 'opaque';
}

/** The part of the library's models that its types leave out. */
interface Savable {
  jti: string;
  generateTokenId(): string;
  getValueAndPayload(): Promise<{ value: string; payload?: ArtifactPayload }>;
  readonly expiration: number;
}

interface IdTokenParts {
  scope: string;
  mask: object;
  rejected: readonly string[];
}

const suffix = 'refresh_token';

/** What `save()` would return and store. */
async function prepare(model: NewToken['model'], token: RefreshToken | AccessToken) {
  const savable = token as unknown as Savable;
  savable.jti ||= savable.generateTokenId();
  const { value, payload } = await savable.getValueAndPayload();
  const stored: NewToken | undefined = payload && { model, id: savable.jti, payload, expiresIn: savable.expiration };
  return { value, stored };
}

function succeed(provider: Provider, { token, client }: RefreshSource): RefreshToken {
  const { accountId, acr, amr, authTime, claims, expiresWithSession, iiat, grantId, nonce, resource, scope } = token;
  const { sessionUid, sid, rotations = 0, gty } = token;
  return new provider.RefreshToken({
    ...{ accountId, acr, amr, authTime, claims, client, expiresWithSession, iiat, grantId, nonce, resource, scope },
    ...{ sessionUid, sid, rotations: rotations + 1 },
    gty: gty && !gty.endsWith(suffix) ? `${gty} ${suffix}` : gty,
  } as never);
}

function accessTokenFor(provider: Provider, next: RefreshToken, source: RefreshSource): AccessToken {
  const { client, grant, resource } = source;
  const { accountId, expiresWithSession, grantId, gty, sessionUid, sid, scopes, claims } = next;
  const token = new provider.AccessToken({
    ...{ accountId, client, expiresWithSession, grantId, gty, sessionUid, sid },
  } as never);
  if (resource) {
    token.resourceServer = resource;
    token.scope = grant.getResourceScopeFiltered(
      resource.identifier(),
      [...scopes].filter((scope) => resource.scopes.has(scope)),
    );
  } else {
    Object.assign(token, { claims });
    token.scope = grant.getOIDCScopeFiltered(scopes);
  }
  noteSource(token, next);
  return token;
}

async function idTokenFor(provider: Provider, next: RefreshToken, at: AccessToken, source: RefreshSource) {
  const { account, client, grant } = source;
  const { scopes, acr, amr, authTime, nonce, sid } = next;
  if (!scopes.has('openid')) return undefined;
  const rejected = grant.getRejectedOIDCClaims();
  const claims = await account.claims('id_token', [...scopes].join(' '), {}, rejected);
  const available = { ...claims, sub: account.accountId, acr, amr, auth_time: authTime };
  const token = new provider.IdToken(available as never, { client } as never);
  const parts: IdTokenParts = { scope: at.aud ? grant.getOIDCScopeFiltered(scopes) : 'openid', mask: {}, rejected };
  Object.assign(token, parts);
  token.set('nonce', nonce);
  token.set('sid', sid);
  return token.issue({ use: 'idtoken' });
}

/**
 * The tokens that answer a refresh, by the library's own models and with the same contents as its handler gives them
 * (lib/actions/grants/refresh_token.js). Nothing is stored here.
 */
export async function makeRefreshedTokens(provider: Provider, source: RefreshSource): Promise<RefreshedTokens> {
  const next = succeed(provider, source);
  const token = accessTokenFor(provider, next, source);
  const [refresh, access] = await Promise.all([prepare('RefreshToken', next), prepare('AccessToken', token)]);
  if (!refresh.stored) throw new Error('A refresh token has to be stored.');
  const idToken = await idTokenFor(provider, next, token, source);
  const scope = next.scope ? token.scope : token.scope || undefined;
  return {
    answer: {
      access_token: access.value,
      expires_in: token.expiration,
      ...(idToken !== undefined && { id_token: idToken }),
      refresh_token: refresh.value,
      ...(scope !== undefined && { scope }),
      token_type: 'Bearer',
    },
    stored: access.stored ? [refresh.stored, access.stored] : [refresh.stored],
    format: token.format === 'jwt' ? 'jwt' : 'opaque',
  };
}
