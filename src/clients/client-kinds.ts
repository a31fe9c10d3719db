import type { ClientAuthMethod, ClientKind } from './client.ts';

/** What a kind of client is for: the first of each list, or all of `grants`, is what a new one gets. */
export interface KindRules {
  readonly grants: readonly string[];
  /** Grants that it may have beside those. */
  readonly otherGrants: readonly string[];
  readonly authMethods: readonly ClientAuthMethod[];
  /** Whether people sign in with it, so that it has redirect URIs and response types. */
  readonly signsIn: boolean;
  /** Response types that an admin may set instead of `code`. */
  readonly otherResponses: readonly string[];
}

const secretMethods: readonly ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const codeGrants = ['authorization_code', 'refresh_token'];
/** RFC 8628: for a television or a terminal, whose owner signs in on another device. */
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/**
 * OpenID Connect Core §3.2 and §3.3, for apps that know nothing newer. Only an ID token ever travels through the browser:
 * response types with `token` are what OAuth 2.1 removed, and nobody can switch them on.
 */
const frontChannelResponses = ['code id_token', 'id_token'];

export const kindRules: Readonly<Record<ClientKind, KindRules>> = {
  web: {
    grants: codeGrants,
    otherGrants: ['client_credentials'],
    authMethods: secretMethods,
    signsIn: true,
    otherResponses: frontChannelResponses,
  },
  spa: { grants: codeGrants, otherGrants: [], authMethods: ['none'], signsIn: true, otherResponses: [] },
  native: { grants: codeGrants, otherGrants: [deviceGrant], authMethods: ['none'], signsIn: true, otherResponses: [] },
  machine: {
    grants: ['client_credentials'],
    otherGrants: [],
    authMethods: secretMethods,
    signsIn: false,
    otherResponses: [],
  },
  service: { grants: [], otherGrants: [], authMethods: secretMethods, signsIn: false, otherResponses: [] },
};

/** The scopes that are about the person and not about an API. */
export const identityScopes: readonly string[] = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/** Whether this way to authenticate needs a secret that we made. */
export const usesSecret = (method: ClientAuthMethod): boolean =>
  method === 'client_secret_basic' || method === 'client_secret_post';

/** The grants in which a person signs in; only they can come with a refresh token. */
export const signInGrants: readonly string[] = ['authorization_code', deviceGrant];

/** Every response type that some client may have. */
export const responseTypes: readonly string[] = ['code', ...frontChannelResponses];

/** Whether an ID token comes back through the browser itself. */
export const usesFrontChannel = (types: readonly string[]): boolean => types.some((type) => type.includes('id_token'));
