import type { Provider } from 'oidc-provider';
import { type AccountId, asAccountId, asClientId, type ClientId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';
import { jwtIsLive } from './introspection.ts';
import { type createAccessTokenVerifier, looksLikeJwt, type VerifiedAccessToken } from './jwt-access-token.ts';
import { isOfAccount } from './token-exchange-lineage.ts';

/** Who calls an API of ours, and what they may do there. */
export interface Caller {
  /** The person whom the token stands for; absent when an app acts for itself. */
  readonly accountId?: AccountId;
  readonly clientId: ClientId;
  /** What the token came from; absent when an app acts for itself. */
  readonly grantId?: string;
  readonly scopes: ReadonlySet<string>;
  readonly acr?: string;
  /** Seconds since the epoch. */
  readonly authTime?: number;
}

/** Our own resource server's view of access tokens. */
export interface AccessTokens {
  /**
   * The caller behind a bearer token for `audience`, as things stand now: a token that was revoked, or whose grant,
   * account or app is gone, is no token. Tokens bound to a key (RFC 7800) are none either, because nobody proved the key.
   */
  verify(token: string, audience: string): Promise<Caller | undefined>;
}

const isFor = (token: VerifiedAccessToken, audience: string): boolean =>
  Array.isArray(token.aud) ? token.aud.includes(audience) : token.aud === audience;

/** Builds the port. `current` is asked each time, because a key rotation replaces the provider. */
export const createAccessTokens = (
  current: () => Provider,
  domains: OidcDomains,
  verify: ReturnType<typeof createAccessTokenVerifier>,
): AccessTokens => ({
  async verify(text, audience) {
    const token = looksLikeJwt(text) ? await verify(text) : undefined;
    if (!token || !isFor(token, audience) || 'cnf' in token) return undefined;
    const grantExists = async (id: string): Promise<boolean> => (await current().Grant.find(id)) !== undefined;
    if (!(await jwtIsLive(domains, token, grantExists))) return undefined;
    const { sub, acr, auth_time: authTime } = token;
    return {
      clientId: asClientId(token.client_id),
      scopes: new Set((token.scope ?? '').split(' ').filter((name) => name !== '')),
      // Only a token of a grant or a person's key has a person behind it; a machine's `sub` is the machine (RFC 9068 §2.2).
      ...(sub !== undefined &&
        (token.grant_id !== undefined || isOfAccount(token, sub)) && { accountId: asAccountId(sub) }),
      ...(token.grant_id !== undefined && { grantId: token.grant_id }),
      ...(typeof acr === 'string' && { acr }),
      ...(typeof authTime === 'number' && { authTime }),
    };
  },
});
