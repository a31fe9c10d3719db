import type { Api } from '../../apis/index.ts';

/** Path of our own JSON API. */
export const apiPath = '/api/v1';

/** What an app may do at our API, in words for the consent page. */
export const apiScopes = {
  'account:read': 'See your profile, email address, postal address and phone number',
  'account:write': 'Change your profile',
  'account:security':
    'See and change how you sign in: your password, second factor, passkeys, devices and apps; change your email address, and download or delete your account',
} as const;

export type ApiScopeName = keyof typeof apiScopes;

/** Where a client that was challenged finds out how to get a token (RFC 9728 §3.1). */
export const resourceMetadataPath = `/.well-known/oauth-protected-resource${apiPath}`;

/** The identifier of our own API, which is `resource` in requests and `aud` in its tokens (RFC 8707). */
export const apiIdentifier = (issuer: string): string => `${issuer}${apiPath}`;

/** Protected resource metadata (RFC 9728 §2). */
export const resourceMetadata = (issuer: string): Readonly<Record<string, unknown>> => ({
  resource: apiIdentifier(issuer),
  resource_name: 'Sallyport account API',
  authorization_servers: [issuer],
  scopes_supported: Object.keys(apiScopes),
  bearer_methods_supported: ['header'],
  resource_documentation: `${issuer}/api/docs`,
});

/** Our own API as apps ask for it: built in, with short-lived JWTs like any other. */
export const ownApi = (issuer: string): Api => ({
  identifier: apiIdentifier(issuer),
  name: 'Sallyport account API',
  scopes: Object.entries(apiScopes).map(([name, description]) => ({ name, description })),
  tokenFormat: 'jwt',
  signingAlg: 'ES256',
  requireSecondFactor: false,
  createdAt: 0,
  updatedAt: 0,
  version: 1,
});
