import { protocolRoutes } from '../../oidc/index.ts';
import type { PathItem } from './openapi-types.ts';
import { challengePaths } from './protocol-challenge.ts';
import { metadataPaths } from './protocol-metadata.ts';
import {
  badClient,
  byClient,
  clientFields,
  form,
  json,
  operation,
  query,
  redirect,
  refused,
  requestFields,
  requestRequired,
  tokenRefusals,
} from './protocol-parts.ts';

/** Groups of the protocol endpoints, in the order of the docs. */
export const protocolTags = [
  { name: 'Metadata', description: 'What clients and services configure themselves from.' },
  { name: 'Sign-in', description: 'The way of a browser or a device through the sign-in pages.' },
  { name: 'Tokens', description: 'Getting tokens, asking about them, and ending them.' },
];

const signIn: Record<string, PathItem> = {
  [protocolRoutes.authorization]: {
    get: operation(
      'authorize',
      'Sign-in',
      'Send a person to sign in',
      'For browsers: the person signs in, allows what the app asks for, and comes back with a code (RFC 6749 §4.1, PKCE required). The answer names its issuer in `iss` (RFC 9207). A form post works as well.',
      {
        parameters: query(requestFields, requestRequired),
        responses: {
          303: redirect('To the sign-in pages, or back to the app with `code` or `error`.'),
          400: { description: 'A page: the client or its redirect URI is not right, so nobody is sent anywhere.' },
        },
        security: [],
      },
    ),
  },
  [protocolRoutes.pushed_authorization_request]: {
    post: operation(
      'pushRequest',
      'Sign-in',
      'Push an authorization request',
      'Hands the parameters in beforehand and gets a `request_uri` for the browser (RFC 9126).',
      {
        requestBody: form([...requestFields, ...clientFields.slice(1)], requestRequired),
        responses: {
          201: json('The reference; good for one request.', 'PushedRequest', {
            request_uri: 'urn:ietf:params:oauth:request_uri:6esc',
            expires_in: 60,
          }),
          400: refused('invalid_request', 'A parameter is missing or wrong.'),
          401: badClient,
        },
        security: byClient,
      },
    ),
  },
  [protocolRoutes.device_authorization]: {
    post: operation(
      'authorizeDevice',
      'Sign-in',
      'Begin a sign-in on a device',
      'For devices without a keyboard: show the code and the address, then ask the token endpoint every `interval` seconds (RFC 8628).',
      {
        requestBody: form(
          [
            ['scope', 'What the app asks for.', 'openid'],
            ['resource', 'The API that the access token is for.'],
            ...clientFields,
          ],
          [],
        ),
        responses: {
          200: json('What to show.', 'DeviceAuthorization', {
            device_code: 'q7w3e9r5t1y8u4i2o6p0a3s5',
            user_code: 'WDJB-MJHT',
            verification_uri: 'https://id.example/device',
            verification_uri_complete: 'https://id.example/device?user_code=WDJB-MJHT',
            expires_in: 600,
          }),
          400: refused('invalid_scope', 'A parameter is wrong.'),
          401: badClient,
        },
        security: byClient,
      },
    ),
  },
  [protocolRoutes.end_session]: {
    get: operation(
      'endSession',
      'Sign-in',
      'Sign a person out',
      'For browsers: asks the person, ends the session and its grants, and goes back to the app (OpenID Connect RP-Initiated Logout).',
      {
        parameters: query(
          [
            ['id_token_hint', 'The last ID token of this sign-in.'],
            ['client_id', 'The app, when it has no ID token any more.'],
            ['post_logout_redirect_uri', 'One of the registered ones.'],
            ['state', 'Comes back unchanged.'],
          ],
          [],
        ),
        responses: {
          200: { description: 'A page that asks.' },
          400: { description: 'A page: something does not fit.' },
        },
        security: [],
      },
    ),
  },
};

const tokens: Record<string, PathItem> = {
  [protocolRoutes.token]: {
    post: operation(
      'getTokens',
      'Tokens',
      'Get tokens',
      'Redeems a code, refreshes, finishes a device sign-in, lets a machine act for itself (RFC 6749 §3.2), or exchanges a token for one of another API (RFC 8693). A refresh token is used once: keep the new one.',
      {
        requestBody: form(
          [
            [
              'grant_type',
              '`authorization_code`, `refresh_token`, `client_credentials`, `urn:ietf:params:oauth:grant-type:device_code` or `urn:ietf:params:oauth:grant-type:token-exchange`.',
              'authorization_code',
            ],
            ['code', 'The code from the redirect; it lives one minute.', 'ac_k3v9x2m7q4b8n5z1c6w0p2r5'],
            ['redirect_uri', 'As in the authorization request.', 'https://app.example/callback'],
            ['code_verifier', 'What the code challenge was made from.', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'],
            ['refresh_token', 'With `refresh_token`.'],
            ['device_code', 'With the device code grant.'],
            ['subject_token', 'With token exchange (RFC 8693): the access token to exchange.'],
            ['subject_token_type', 'Always `urn:ietf:params:oauth:token-type:access_token`.'],
            ['actor_token', 'With token exchange: an own access token of whoever acts, when it is not the client.'],
            ['actor_token_type', 'As `subject_token_type`, with `actor_token` only.'],
            ['audience', 'With token exchange: the same as `resource`.'],
            ['scope', 'Fewer scopes than were granted.'],
            ['resource', 'The API that the access token is for (RFC 8707).'],
            ...clientFields,
          ],
          ['grant_type'],
        ),
        responses: {
          200: json('The tokens.', 'Tokens', {
            access_token: 'at_w8n4t6y2h9j3d7f5g1s0a2z4',
            token_type: 'Bearer',
            expires_in: 600,
            scope: 'openid',
            id_token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi',
            refresh_token: 'rt_b5x1c9v3m7k2q8w4e6r0t2y5',
          }),
          400: refused(
            'invalid_grant',
            'The code or token is used, old, or another client’s; or a parameter is wrong.',
          ),
          401: badClient,
          403: refused(
            'access_denied',
            'A refresh of a direct sign-in, from where nobody may come in. Keep the token.',
          ),
          429: refused('too_many_requests', 'Too many refreshes. Wait for `Retry-After` seconds.'),
          503: refused('temporarily_unavailable', 'A store is away. Nothing was used up; try again.'),
        },
        security: byClient,
      },
    ),
  },
  [protocolRoutes.userinfo]: {
    get: operation(
      'getUserInfo',
      'Tokens',
      'Claims about the person',
      'What the granted scopes open (OpenID Connect Core §5.3). Takes the opaque access token of a sign-in, not one for an API.',
      {
        responses: {
          200: json('The claims.', 'UserInfo', { sub: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r', name: 'Mara Lindgren' }),
          401: refused('invalid_token', 'The access token is missing or not good any more.'),
        },
        security: [{ accessToken: ['openid'] }],
      },
    ),
  },
  [protocolRoutes.introspection]: {
    post: operation(
      'introspect',
      'Tokens',
      'Is this token good?',
      'For services: whether a token is good right now, and for what (RFC 7662). Only its own client, the service it is for, and clients with the right to introspect get an answer other than `{"active":false}`.',
      {
        requestBody: form(
          [
            ['token', 'The token.', 'at_w8n4t6y2h9j3d7f5g1s0a2z4'],
            ['token_type_hint', 'What it is, if known.'],
            ...clientFields,
          ],
          ['token'],
        ),
        responses: {
          200: json('What the server says of it.', 'Introspection', {
            active: true,
            sub: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r',
            client_id: 'app_4m7q2x9b1k5n8v3c6z0w',
            scope: 'notes:read',
            exp: 1_795_251_120,
          }),
          ...tokenRefusals,
        },
        security: byClient,
      },
    ),
  },
  [protocolRoutes.revocation]: {
    post: operation(
      'revoke',
      'Tokens',
      'End a token',
      'Ends a token of the asking client; a refresh token takes its whole family along (RFC 7009). An unknown token is no error.',
      {
        requestBody: form(
          [
            ['token', 'The token.', 'rt_b5x1c9v3m7k2q8w4e6r0t2y5'],
            ['token_type_hint', 'What it is, if known.'],
            ...clientFields,
          ],
          ['token'],
        ),
        responses: { 200: { description: 'It is not good any more.' }, ...tokenRefusals },
        security: byClient,
      },
    ),
  },
};

/**
 * The protocol endpoints by their paths at the server's root. They are written by hand, because the protocol library has
 * no schemas of its own; a test holds them against the discovery document.
 */
export const protocolPaths: Readonly<Record<string, PathItem>> = {
  ...tokens,
  ...signIn,
  ...challengePaths,
  ...metadataPaths,
};
