import { type AdapterFactory, type Configuration, type JWKS, Provider, type ResponseType } from 'oidc-provider';
import { ownMetadata, responseTypes } from '../clients/index.ts';
import type { Logger } from '../shared/logger.ts';
import { type ArtifactStores, tokenIdFor } from './artifact-store.ts';
import { keepSessionInCodes } from './audit-session.ts';
import { acrValues } from './authentication-context.ts';
import { leaveLogoutToBackChannel } from './back-channel.ts';
import { claimsByScope, identityScopes } from './claims.ts';
import { assertClaimsParameter } from './claims-parameter.ts';
import { createClientAdapter } from './client-adapter.ts';
import { assertAssertion } from './client-assertions.ts';
import { type ClientDocuments, longestDocument } from './client-documents.ts';
import { createDirectRefreshGuard } from './direct-refresh.ts';
import type { OidcDomains } from './domains.ts';
import { hideEndedGrants } from './ended-access.ts';
import { hideEndedTokens, rememberEndedTokens } from './ended-tokens.ts';
import { createFindAccount } from './find-account.ts';
import { authorizationChallengePath } from './first-party-redemption.ts';
import { createGrantLoader } from './grants.ts';
import { deviceFeature, type HostedPages, logoutFeature, renderErrorOn } from './hosted-pages.ts';
import { createInteractionPolicy } from './interaction-policy.ts';
import { createIntrospectionPolicy } from './introspection.ts';
import { introspectionSigningAlgorithms } from './introspection-jwt.ts';
import { attachEvents, type ProtocolMeter } from './provider-events.ts';
import { createRotation, type RefreshCounter } from './refresh-limit.ts';
import { createResourceServerLookup, useGrantedResource } from './resource-servers.ts';
import { findResumableInteractions } from './resume-here.ts';
import { interactionPath, protocolRoutes } from './routes.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { OidcSettings } from './settings.ts';
import { withStatusClaims } from './status-claims.ts';
import { extraTokenClaims } from './token-claims.ts';
import { withNotedClaims } from './token-exchange-lineage.ts';
import { ttlFor } from './ttl.ts';

/** Everything a provider instance is made of, apart from its keys. */
export interface ProviderParts {
  readonly settings: OidcSettings;
  readonly domains: OidcDomains;
  readonly artifacts: ArtifactStores;
  readonly pages: HostedPages;
  readonly refreshes: RefreshCounter;
  readonly registry: Pick<SessionRegistry, 'isOver'>;
  readonly meter: ProtocolMeter;
  /** How documents of clients are read, whatever their addresses are. */
  readonly documents: ClientDocuments;
  readonly logger: Logger;
}

const signingAlgorithms = ['ES256', 'RS256', 'EdDSA'] as const;

function features({ domains, settings, pages }: ProviderParts): Configuration['features'] {
  const introspectionPolicy = createIntrospectionPolicy(domains);
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) =>
        introspectionPolicy(
          client,
          token as { clientId?: string; aud?: string | string[]; accountId?: string; iat?: number },
        ),
    },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    backchannelLogout: { enabled: true },
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    rpInitiatedLogout: logoutFeature(pages),
    deviceFlow: deviceFeature(pages),
    pushedAuthorizationRequests: { enabled: true },
    claimsParameter: { enabled: true, assertClaimsParameter },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: createResourceServerLookup(domains, settings),
      useGrantedResource,
      defaultResource: (_ctx, _client, oneOf) => oneOf as never,
    },
  };
}

function cookies({ cookieSignatures, secureCookies }: OidcSettings): Configuration['cookies'] {
  const attributes = { httpOnly: true, sameSite: 'lax', secure: secureCookies, signed: true } as const;
  return {
    // `__Host-` demands Path=/, which the cookies of one interaction do not have.
    names: secureCookies
      ? { session: '__Host-sp_session', interaction: '__Secure-sp_interaction', resume: '__Secure-sp_resume' }
      : { session: 'sp_session', interaction: 'sp_interaction', resume: 'sp_resume' },
    long: { ...attributes, path: '/' },
    short: { ...attributes },
    keys: cookieSignatures as never,
  };
}

function configuration(parts: ProviderParts, jwks: JWKS): Configuration {
  const { settings, domains } = parts;
  const clientAdapter = createClientAdapter(domains.clients);
  return {
    adapter: ((name) => (name === 'Client' ? clientAdapter : parts.artifacts(name))) as AdapterFactory,
    jwks,
    routes: protocolRoutes,
    cookies: cookies(settings),
    ttl: ttlFor(settings),
    features: features(parts),
    claims: claimsByScope,
    scopes: [...identityScopes],
    discovery: {
      authorization_challenge_endpoint: `${settings.issuer}${authorizationChallengePath}`,
      introspection_signing_alg_values_supported: [...introspectionSigningAlgorithms],
      status_list_aggregation_endpoint: `${settings.issuer}/oauth2/status-lists`,
    },
    acrValues: [...acrValues],
    subjectTypes: ['public'],
    responseTypes: [...responseTypes] as ResponseType[],
    pkce: { required: (_ctx, client) => client.require_pkce !== false },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      idTokenSigningAlgValues: [...signingAlgorithms],
      userinfoSigningAlgValues: [...signingAlgorithms],
      clientAuthSigningAlgValues: ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256', grant_types: [], response_types: [] },
    extraClientMetadata: { properties: [...ownMetadata] },
    findAccount: createFindAccount(domains),
    loadExistingGrant: createGrantLoader(domains),
    interactions: {
      policy: createInteractionPolicy(domains, parts.registry),
      url: (_ctx, interaction) => interactionPath(interaction.uid),
    },
    extraTokenClaims: withStatusClaims(domains, withNotedClaims(extraTokenClaims)),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: createRotation(parts.refreshes, createDirectRefreshGuard(domains)),
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.canParse(uri) && new URL(uri).origin === origin),
    renderError: renderErrorOn(parts.pages),
    clockTolerance: 15,
    assertJwtClientAuthClaimsAndHeader: assertAssertion,
    fetch: parts.documents,
    fetchResponseBodyLimits: {
      'client_id metadata document': longestDocument,
      jwks_uri: longestDocument,
      sector_identifier_uri: longestDocument,
    },
  } as Configuration;
}

function overrideModels(provider: Provider, { domains, logger }: ProviderParts): void {
  // Secrets are stored hashed; the metadata only carries a placeholder that opens nothing.
  const client = provider.Client.prototype as unknown as SecretHolder;
  client.compareClientSecret = async function compareClientSecret(actual) {
    // The library takes either way for both; a client has registered one (RFC 7591 §2).
    const used = Provider.ctx?.headers.authorization === undefined ? 'client_secret_post' : 'client_secret_basic';
    if (this.clientAuthMethod !== used) {
      logger.warn(
        { client: this.clientId, used, registered: this.clientAuthMethod },
        'a client used another way to authenticate',
      );
      return false;
    }
    return domains.clients.verifySecret(this.clientId, actual);
  };
  // Ids name their kind and the slot of their grant, so that a store needs one round trip and no index.
  for (const kind of ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'ClientCredentials'] as const) {
    const model = provider[kind].prototype as unknown as TokenModel;
    const original = model.generateTokenId;
    model.generateTokenId = function generateTokenId() {
      // The library settles the format here; ids of JWTs are its own.
      const id = original.call(this);
      return this.format === 'jwt' ? id : tokenIdFor(kind, this.grantId);
    };
  }
}

interface SecretHolder {
  readonly clientId: string;
  readonly clientAuthMethod: string;
  compareClientSecret(this: SecretHolder, actual: string): Promise<boolean>;
}

interface TokenModel {
  readonly format?: string;
  readonly grantId?: string;
  generateTokenId(this: TokenModel): string;
}

/** Builds a provider for one set of keys. It costs a few milliseconds, so a rotation simply builds another. */
export function buildProvider(parts: ProviderParts, jwks: JWKS): Provider {
  const provider = new Provider(parts.settings.issuer, configuration(parts, jwks));
  overrideModels(provider, parts);
  hideEndedGrants(provider, parts.domains);
  hideEndedTokens(provider, parts.domains);
  rememberEndedTokens(provider, parts.domains, parts.logger);
  leaveLogoutToBackChannel(provider, parts.domains);
  keepSessionInCodes(provider);
  findResumableInteractions(provider, parts.settings.secureCookies);
  attachEvents(provider, parts.domains, parts.meter, parts.logger);
  return provider;
}
