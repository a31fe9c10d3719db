import { authorizationChallengePath } from '../../oidc/index.ts';
import type { PathItem } from './openapi-types.ts';
import { badClient, byClient, clientFields, form, json, operation, refused, requestFields } from './protocol-parts.ts';

/** What a request without a browser has of an authorization request. */
const challengeFields = new Set([
  'client_id',
  'response_type',
  'scope',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'resource',
  'acr_values',
]);

/** The authorization challenge endpoint, written by hand like the other protocol endpoints. */
export const challengePaths: Readonly<Record<string, PathItem>> = {
  [authorizationChallengePath]: {
    post: operation(
      'challengeAuthorization',
      'Sign-in',
      'Sign a person in without a browser',
      'For native apps of the house that an operator marked for it: the app asks for what is needed in its own screens (OAuth 2.0 for First-Party Applications). The first request has `username` and `password` or neither; the next ones have `auth_session` and what `challenges` named. The code is redeemed at the token endpoint, without `redirect_uri`.',
      {
        requestBody: form(
          [
            ...requestFields.filter(([name]) => challengeFields.has(name)),
            ['auth_session', 'From the answer before; then nothing of the request is said again.'],
            ['username', 'Username or email address.', 'mara'],
            ['password', 'As it was typed.', 'correct horse battery'],
            ['otp', 'Of the authenticator app.'],
            ['backup_code', 'One of the backup codes.'],
            ['email_code', 'The mailed code.'],
            ['passkey', 'What the platform gave for `passkey_options`, as JSON.'],
            ['challenge', '`email_code` has a code mailed, `passkey` gets `passkey_options`.'],
            ...clientFields.slice(1),
          ],
          [],
        ),
        responses: {
          200: json('The code; good for one minute.', 'AuthorizationChallenge', {
            authorization_code: 'ac_k3v9x2m7q4b8n5z1c6w0p2r5',
          }),
          400: refused('invalid_session', 'The session is not good here, or a parameter is wrong.'),
          401: badClient,
          403: json('More is needed, or the pages are (`redirect_to_web`).', 'AuthorizationChallengeRefusal', {
            error: 'insufficient_authorization',
            auth_session: 'app_4m7q2x9b1k5n8v3c6z0w~v1.k7d2',
            challenges: ['otp', 'backup_code'],
          }),
          429: refused('too_many_requests', 'Too many tries. Wait for `Retry-After` seconds.'),
        },
        security: byClient,
      },
    ),
  },
};
