import { type identityScopes, protocolRoutes } from '../../oidc/index.ts';
import type { JsonSchema } from './openapi-types.ts';
import { apiScopes } from './resource.ts';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const seconds = (description: string): JsonSchema => ({ type: 'integer', description });
const object = (
  description: string,
  required: readonly string[],
  properties: Readonly<Record<string, JsonSchema>>,
): JsonSchema => ({ type: 'object', description, required, properties });

/** Answers of the protocol endpoints, by the names of their specifications. */
export const protocolSchemas: Readonly<Record<string, JsonSchema>> = {
  OAuthError: object('Why the protocol endpoint refused (RFC 6749 §5.2).', ['error'], {
    error: text('One of the registered error codes.'),
    error_description: text('What was wrong, for a developer.'),
    reference: text('The id that the server’s log has too.'),
  }),
  Tokens: object(
    'Tokens (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).',
    ['access_token', 'token_type', 'expires_in'],
    {
      access_token: text('For the API that was asked for, a JWT (RFC 9068); else opaque, for userinfo.'),
      token_type: text('`Bearer`.'),
      expires_in: seconds('Seconds that the access token is good for.'),
      scope: text('What was granted.'),
      id_token: text('Who signed in, when and how; with the scope `openid`.'),
      refresh_token: text('For new tokens later. Each is used once.'),
    },
  ),
  UserInfo: {
    type: 'object',
    description: 'Standard claims (OpenID Connect Core §5.1).',
    required: ['sub'],
    properties: { sub: text('The account.') },
  },
  Introspection: object('Whether a token is good (RFC 7662 §2.2).', ['active'], {
    active: { type: 'boolean', description: 'False says nothing more: unknown, ended, or none of your business.' },
    sub: text('The account, or the client that acts for itself.'),
    client_id: text('The app that got the token.'),
    scope: text('What it is good for.'),
    aud: { type: ['string', 'array'], items: { type: 'string' }, description: 'Whom it is for.' },
    iss: text('This server.'),
    exp: seconds('When it ends, seconds since 1970.'),
    iat: seconds('When it was issued, seconds since 1970.'),
    token_type: text('`Bearer`, or absent for refresh tokens.'),
  }),
  PushedRequest: object('A pushed request (RFC 9126 §2.2).', ['request_uri', 'expires_in'], {
    request_uri: text('Send the browser to the authorization endpoint with this and `client_id`.'),
    expires_in: seconds('Seconds that it is good for.'),
  }),
  DeviceAuthorization: object(
    'A device sign-in (RFC 8628 §3.2).',
    ['device_code', 'user_code', 'verification_uri', 'expires_in'],
    {
      device_code: text('For the token endpoint. Show it to nobody.'),
      user_code: text('For the person to type.'),
      verification_uri: text('Where to type it.'),
      verification_uri_complete: text('The same with the code in it, for a QR code.'),
      expires_in: seconds('Seconds that both codes are good for.'),
      interval: seconds('Seconds between two questions to the token endpoint; 5 when it is absent.'),
    },
  ),
  AuthorizationChallenge: object('A sign-in that is complete.', ['authorization_code'], {
    authorization_code: text('For the token endpoint, without `redirect_uri`.'),
  }),
  AuthorizationChallengeRefusal: object('What is needed next.', ['error'], {
    error: text('`insufficient_authorization` or `redirect_to_web`.'),
    error_description: text('For a developer.'),
    auth_session: text('Goes into the next request.'),
    challenges: { type: 'array', items: { type: 'string' }, description: 'What opens the next door.' },
    attempts_left: seconds('Tries that are left at the second door.'),
    passkey_options: { type: 'object', description: 'For the platform, when `challenge` asked for it.' },
    request_uri: text('With `redirect_to_web`: the pushed request for the browser (RFC 9126).'),
    expires_in: seconds('Seconds that `request_uri` is good for.'),
  }),
  KeySet: object('A JSON Web Key Set (RFC 7517 §5).', ['keys'], {
    keys: { type: 'array', items: { type: 'object' }, description: 'Public keys, the signing ones first.' },
  }),
  Metadata: object('Authorization server metadata (RFC 8414 §2).', ['issuer'], {
    issuer: text('This server, as it is in `iss` of every token.'),
  }),
};

const identityTexts: Readonly<Record<(typeof identityScopes)[number], string>> = {
  openid: 'Sign a person in and get an ID token',
  offline_access: 'Keep access while the person is away',
  profile: 'Name, picture and profile',
  email: 'Email address',
  address: 'Postal address',
  phone: 'Phone number',
};

/** How callers prove who they are. */
export function securitySchemes(issuer: string): Readonly<Record<string, unknown>> {
  const tokenUrl = `${issuer}${protocolRoutes.token}`;
  return {
    accessToken: {
      type: 'oauth2',
      description:
        'An access token as a Bearer token (RFC 6750). For the JSON API it has to be issued for its resource.',
      flows: {
        authorizationCode: {
          authorizationUrl: `${issuer}${protocolRoutes.authorization}`,
          tokenUrl,
          refreshUrl: tokenUrl,
          scopes: { ...identityTexts, ...apiScopes },
        },
      },
    },
    clientSecret: {
      type: 'http',
      scheme: 'basic',
      description: 'Client id and secret, each form-encoded first (RFC 6749 §2.3.1).',
    },
    browserSession: {
      type: 'apiKey',
      in: 'cookie',
      name: `${issuer.startsWith('https:') ? '__Host-' : ''}sp_session`,
      description: 'The session of a browser that is signed in, for pages of this origin only.',
    },
    csrfToken: {
      type: 'apiKey',
      in: 'header',
      name: 'X-CSRF-Token',
      description: 'With the session of a browser, for every change. The answer to GET /api/v1/me gives it.',
    },
  };
}
