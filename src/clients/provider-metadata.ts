import { sha256 } from '../shared/crypto.ts';
import { randomSecret } from '../shared/ids.ts';
import type { Client } from './client.ts';
import { usesFrontChannel, usesSecret } from './client-kinds.ts';

/** Our own metadata that {@link toProviderMetadata} adds; for `extraClientMetadata.properties` of oidc-provider. */
export const ownMetadata = [
  'first_party',
  'require_pkce',
  'require_second_factor',
  'strict_refresh',
  'may_introspect',
] as const;

const known = new WeakMap<Client, Readonly<Record<string, unknown>>>();
// oidc-provider insists on a secret where only a hash exists. Nobody can know this one, should it ever be compared.
const salt = randomSecret();

function build(client: Client): Readonly<Record<string, unknown>> {
  const { scope, ...metadata } = client.metadata;
  return {
    ...metadata,
    // The protocol library wants this grant named for every ID token that does not come from the token endpoint.
    ...(usesFrontChannel(metadata.response_types) && { grant_types: [...metadata.grant_types, 'implicit'] }),
    client_id: client.id,
    client_name: client.name,
    application_type: client.kind === 'native' ? 'native' : 'web',
    ...(scope !== '' && { scope }),
    ...(usesSecret(client.metadata.token_endpoint_auth_method) && { client_secret: sha256(`${salt}:${client.id}`) }),
    first_party: client.firstParty,
    require_pkce: client.requirePkce,
    require_second_factor: client.requireSecondFactor,
    strict_refresh: client.strictRefresh,
    may_introspect: client.mayIntrospect,
  };
}

/**
 * What oidc-provider's Client adapter returns for a client, in its snake_case; the same object each time, so that it
 * is cheap. `client_secret` is a placeholder: secrets are compared by `Clients.verifySecret` and by nothing else.
 * A disabled client is the caller's to refuse.
 */
export function toProviderMetadata(client: Client): Readonly<Record<string, unknown>> {
  let metadata = known.get(client);
  if (!metadata) {
    metadata = build(client);
    known.set(client, metadata);
  }
  return metadata;
}
