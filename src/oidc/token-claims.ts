import type { AccessToken, ClientCredentials, KoaContextWithOIDC, UnknownObject } from 'oidc-provider';

/**
 * Private claims of access tokens. `grant_id` ties a JWT to its grant, so that introspection can tell that the grant
 * has ended without a stored row for each token; `acr`, `amr` and `auth_time` are RFC 9068 §2.2.1.
 */
export function extraTokenClaims(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
): UnknownObject | undefined {
  if (token.kind !== 'AccessToken') return undefined;
  const source =
    ctx.oidc?.entities.AuthorizationCode ?? ctx.oidc?.entities.RefreshToken ?? ctx.oidc?.entities.DeviceCode;
  return {
    ...(token.format === 'jwt' && { grant_id: token.grantId }),
    ...(source?.acr && { acr: source.acr }),
    ...(source?.amr && { amr: source.amr }),
    ...(source?.authTime && { auth_time: source.authTime }),
  };
}
