import { type ClaimsParameter, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { scopeOfClaim } from './claims.ts';
import { isNestedTooDeep } from './nesting.ts';

/** The scopes that open the claims which a request names one by one (OpenID Connect Core §5.5). */
export function scopesOfClaims(names: readonly string[]): string[] {
  return [...new Set(names.map(scopeOfClaim).filter((scope) => scope !== undefined))];
}

/**
 * Naming claims one by one is no way around scopes: a client gets those of the scopes that it may ask for.
 * @throws InvalidRequest for any other, and for what is nested so deep that it could not be stored
 */
export function assertClaimsParameter(
  { oidc }: KoaContextWithOIDC,
  claims: ClaimsParameter,
  client: { readonly scope?: string | undefined },
): void {
  if (isNestedTooDeep(String(oidc.params?.claims))) throw new errors.InvalidRequest('claims are nested too deep');
  if (client.scope === undefined) return;
  const allowed = new Set(client.scope.split(' '));
  const names = [...Object.keys(claims.userinfo ?? {}), ...Object.keys(claims.id_token ?? {})];
  const refused = scopesOfClaims(names).find((scope) => !allowed.has(scope));
  if (refused !== undefined)
    throw new errors.InvalidRequest(`claims of the scope ${refused} are not allowed for this client`);
}
