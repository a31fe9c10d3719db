import type { AccessToken, ClientCredentials, KoaContextWithOIDC, RefreshToken, UnknownObject } from 'oidc-provider';

type Source = Pick<RefreshToken, 'acr' | 'amr' | 'authTime'>;

const sources = new WeakMap<object, Source>();

/** Says what a token is issued for, where no request of the library's does. */
export const noteSource = (token: AccessToken, source: Source): void => void sources.set(token, source);

const sourceIn = (ctx: KoaContextWithOIDC): Source | undefined =>
  ctx.oidc?.entities.AuthorizationCode ?? ctx.oidc?.entities.RefreshToken ?? ctx.oidc?.entities.DeviceCode;

/**
 * Private claims of access tokens. `grant_id` ties a JWT to its grant, so that introspection can tell that the grant
 * has ended without a stored row for each token; `acr`, `amr` and `auth_time` are RFC 9068 §2.2.1.
 */
export function extraTokenClaims(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
): UnknownObject | undefined {
  if (token.kind !== 'AccessToken') return undefined;
  const source = sources.get(token) ?? sourceIn(ctx);
  return {
    ...(token.format === 'jwt' && { grant_id: token.grantId }),
    ...(source?.acr && { acr: source.acr }),
    ...(source?.amr && { amr: source.amr }),
    ...(source?.authTime && { auth_time: source.authTime }),
  };
}
