import type { Client as ProviderClient } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';
import { audienceChecks } from './ended-tokens.ts';
import { accessEnded, standsSince } from './find-account.ts';
import type { VerifiedAccessToken } from './jwt-access-token.ts';
import { lineageIsLive } from './token-exchange-lineage.ts';

/** The parts of any token that decide who may ask about it. */
export interface Introspectable {
  readonly clientId?: string | undefined;
  readonly audience?: string | readonly string[] | undefined;
}

const audiencesOf = ({ aud = [] }: { readonly aud?: string | readonly string[] | undefined }): readonly string[] =>
  typeof aud === 'string' ? [aud] : aud;

/**
 * Who may introspect a token (RFC 7662 §4): its own client, a client registered as its audience, or one with the right.
 * Anybody else learns nothing, not even that the token exists.
 */
export function mayIntrospect(asker: Client, token: Introspectable): boolean {
  if (asker.disabled) return false;
  // Whoever names a public client could be anybody.
  const isProven = asker.metadata.token_endpoint_auth_method !== 'none';
  if ((asker.mayIntrospect && isProven) || token.clientId === asker.id) return true;
  return (
    asker.kind === 'service' &&
    audiencesOf({ aud: token.audience }).some((audience) => Object.hasOwn(asker.apis, audience))
  );
}

/** The same rule as oidc-provider's `allowedPolicy`, for tokens it keeps itself. */
export const createIntrospectionPolicy =
  (domains: OidcDomains) =>
  async (
    asker: ProviderClient,
    token: { clientId?: string; aud?: string | string[]; accountId?: string; iat?: number; grantId?: string },
  ): Promise<boolean> => {
    const { grantId } = token;
    if (grantId !== undefined && domains.revocations.isRevokedCached([{ kind: 'grant', id: grantId }])) return false;
    const client = await domains.clients.find(asker.clientId);
    if (!client || !mayIntrospect(client, { clientId: token.clientId, audience: token.aud })) return false;
    return subjectIsLive(domains, token.accountId, token.clientId, token.iat);
  };

/** Whether the account and the app of a token may still use it. */
export async function subjectIsLive(
  domains: OidcDomains,
  accountId?: string,
  clientId?: string,
  issuedAt = 0,
): Promise<boolean> {
  if (accountId !== undefined && accessEnded(domains, accountId, issuedAt)) return false;
  const [account, client] = await Promise.all([
    accountId === undefined ? undefined : domains.accounts.find(asAccountId(accountId)),
    clientId === undefined ? undefined : domains.clients.find(clientId),
  ]);
  if (accountId !== undefined && !(account && domains.mayUseTokens(account))) return false;
  return clientId === undefined || (client !== undefined && !client.disabled);
}

/** Whether a JWT that verified is still good: neither it nor its grant was revoked, and its people and apps are there. */
export async function jwtIsLive(
  domains: OidcDomains,
  token: VerifiedAccessToken,
  grantExists: (id: string) => Promise<boolean>,
): Promise<boolean> {
  const isOfAccount = token.grant_id !== undefined;
  const since = standsSince({ iat: token.iat, authTime: token.auth_time });
  const issuedAt = (token.iat ?? 0) * 1000;
  const revocable = [
    { kind: 'token', id: token.jti },
    { kind: 'client', id: token.client_id, issuedAt },
    ...audienceChecks(token.aud, issuedAt),
    ...audiencesOf(token).map((id) => ({ kind: 'api', id, issuedAt }) as const),
    ...(token.grant_id ? [{ kind: 'grant', id: token.grant_id } as const] : []),
    ...(isOfAccount && token.sub ? [{ kind: 'account', id: token.sub, issuedAt: since * 1000 } as const] : []),
  ] as const;
  if (await domains.revocations.isRevoked(revocable)) return false;
  if (token.grant_id !== undefined && !(await grantExists(token.grant_id))) return false;
  if (!(await lineageIsLive(domains, token))) return false;
  return subjectIsLive(domains, isOfAccount ? token.sub : undefined, token.client_id, since);
}

/** The introspection response for a live JWT (RFC 7662 §2.2): its own claims, without the private ones. */
export function describeJwt(token: VerifiedAccessToken): Record<string, unknown> {
  const { grant_id: _grant, lineage: _lineage, ...claims } = token;
  return { active: true, ...claims, token_type: 'cnf' in claims ? 'DPoP' : 'Bearer' };
}
