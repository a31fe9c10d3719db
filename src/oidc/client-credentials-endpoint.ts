import { errors, type Provider } from 'oidc-provider';
import type { OidcDomains } from './domains.ts';
import type { ProtocolMeter } from './provider-events.ts';
import type { createResourceServerLookup } from './resource-servers.ts';
import { authenticateClient, type PlainRequest, readSecretRequest, type SecretRequest } from './secret-request.ts';

interface Parts {
  readonly provider: Provider;
  readonly domains: OidcDomains;
  readonly lookUp: ReturnType<typeof createResourceServerLookup>;
  readonly meter: ProtocolMeter;
}

const names = new Set(['grant_type', 'scope', 'resource']);
const soundScope = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** What a 200 says. */
export type PlainAnswer = Readonly<Record<string, unknown>>;

interface Wanted {
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

function readWanted({ fields }: SecretRequest): Wanted | undefined {
  const { scope, resource } = fields;
  if (scope !== undefined && !soundScope.test(scope)) return undefined;
  // Scopes without an API are identity scopes, which only oidc-provider sorts out.
  if (resource === undefined) return scope === undefined ? { scopes: [], resource } : undefined;
  if (!URL.canParse(resource) || resource.includes('#')) return undefined;
  return { scopes: [...new Set(scope?.split(' ') ?? [])], resource };
}

/**
 * The client credentials grant (RFC 6749 §4.4) for the plain request: a secret, at most one API, nothing to bind the
 * token to. The token is oidc-provider's own model, so it is stored, signed, introspected and revoked like any other;
 * only the way there is shorter. Whatever else comes, and every refusal, is left to the library: undefined.
 */
export const createClientCredentialsEndpoint = ({ provider, domains, lookUp, meter }: Parts) =>
  async function clientCredentialsEndpoint(plain: PlainRequest): Promise<PlainAnswer | undefined> {
    const request = readSecretRequest(plain, names);
    if (request?.fields.grant_type !== 'client_credentials') return undefined;
    const wanted = readWanted(request);
    const client = wanted && (await authenticateClient(domains.clients, request));
    if (!wanted || !client?.metadata.grant_types.includes('client_credentials')) return undefined;

    const token = new provider.ClientCredentials({ client: { clientId: client.id } } as never);
    if (wanted.resource !== undefined) {
      const info = await lookUp(undefined, wanted.resource, { clientId: client.id }).catch((error: unknown) => {
        if (error instanceof errors.InvalidTarget) return undefined;
        throw error;
      });
      if (!info) return undefined;
      token.resourceServer = new provider.ResourceServer(wanted.resource, info);
      const offered = new Set(info.scope.split(' '));
      token.scope = wanted.scopes.filter((scope) => offered.has(scope)).join(' ') || undefined;
    }
    const accessToken = await token.save();
    meter.tokenIssued('client_credentials', token.format === 'jwt' ? 'jwt' : 'opaque');
    return {
      access_token: accessToken,
      expires_in: token.expiration,
      ...(token.scope !== undefined && { scope: token.scope }),
      token_type: 'Bearer',
    };
  };
