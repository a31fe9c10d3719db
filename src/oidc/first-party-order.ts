import type { Client } from '../clients/index.ts';
import { AppError } from '../shared/errors.ts';
import { demandsSecondFactor } from './authentication-context.ts';
import { identityScopes } from './claims.ts';
import type { OidcDomains } from './domains.ts';
import { allowedScopes } from './resource-servers.ts';

/** What an app asks for when it signs somebody in by itself. */
export interface Wanted {
  /** Separated by spaces. */
  readonly scope: string;
  /** The API that the access token is for (RFC 8707). */
  readonly resource?: string | undefined;
  readonly nonce?: string | undefined;
  /** `aal2` asks for two factors, whatever the client and the API ask for. */
  readonly acrValues?: string | undefined;
}

/** The same, checked: what the tokens will be good for. */
export interface Order {
  readonly identity: readonly string[];
  readonly api: readonly string[];
  readonly resource?: string;
  readonly nonce?: string;
  readonly secondFactor: boolean;
}

function refuse(field: 'scope' | 'resource', message: string): never {
  throw new AppError('invalid_input', message, { fields: { [field]: message } });
}

/**
 * Checks what is asked for against the client's registration; there is no consent to ask, because the app is ours.
 * @throws AppError `invalid_input` that names `scope` or `resource`.
 */
export async function readOrder(apis: OidcDomains['apis'], client: Client, wanted: Wanted): Promise<Order> {
  const { resource, nonce } = wanted;
  const scopes = [...new Set(wanted.scope.split(' ').filter((name) => name !== ''))];
  const api = resource === undefined ? undefined : await apis.find(resource);
  const offered =
    api &&
    allowedScopes(
      client,
      api.identifier,
      api.scopes.map(({ name }) => name),
    );
  if (resource !== undefined && !offered) return refuse('resource', 'This client may not ask for that API.');
  const own = client.metadata.scope.split(' ');
  const identity = scopes.filter((name) => (identityScopes as readonly string[]).includes(name) && own.includes(name));
  const ofApi = scopes.filter((name) => !identity.includes(name) && offered?.includes(name));
  const other = scopes.find((name) => !identity.includes(name) && !ofApi.includes(name));
  if (other !== undefined) return refuse('scope', `This client may not ask for the scope ${other.slice(0, 64)}.`);
  return {
    identity,
    api: ofApi,
    secondFactor:
      demandsSecondFactor({ acr_values: wanted.acrValues }) ||
      client.requireSecondFactor ||
      api?.requireSecondFactor === true,
    ...(api && { resource: api.identifier }),
    ...(nonce !== undefined && { nonce }),
  };
}
