import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Client } from '../clients/index.ts';
import type { OidcDomains } from './domains.ts';
import type { OidcSettings } from './settings.ts';

/** The scopes of `identifier` that this client may ask for; undefined when it may not ask for the API at all. */
export function allowedScopes(client: Client, identifier: string, offered: readonly string[]): string[] | undefined {
  const granted = client.apis[identifier];
  if (!granted) return undefined;
  return granted.length === 0 ? [...offered] : offered.filter((scope) => granted.includes(scope));
}

/**
 * Resolves a `resource` (RFC 8707) to a registered API. Its access tokens are RFC 9068 JWTs unless it asked for opaque
 * ones. @throws InvalidTarget when no such API is registered or the client may not ask for it.
 */
export const createResourceServerLookup =
  (domains: OidcDomains, settings: OidcSettings) =>
  async (
    _ctx: KoaContextWithOIDC | undefined,
    identifier: string,
    caller: { clientId: string },
  ): Promise<ResourceServer> => {
    const [api, client] = await Promise.all([domains.apis.find(identifier), domains.clients.find(caller.clientId)]);
    const scopes =
      api &&
      client &&
      allowedScopes(
        client,
        identifier,
        api.scopes.map(({ name }) => name),
      );
    if (!api || !scopes) throw new errors.InvalidTarget();
    return {
      audience: api.identifier,
      scope: scopes.join(' '),
      accessTokenTTL: api.accessTokenSeconds ?? settings.accessTokenSeconds,
      accessTokenFormat: api.tokenFormat,
      ...(api.tokenFormat === 'jwt' && { jwt: { sign: { alg: api.signingAlg } } }),
    } as ResourceServer;
  };

/** One resource a token request: the one it names, else the only one that was granted. */
export async function useGrantedResource(): Promise<boolean> {
  return true;
}
