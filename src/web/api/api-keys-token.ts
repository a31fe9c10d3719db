import { z } from 'zod';
import type { KeyTokens } from '../../oidc/index.ts';
import { type KeyUse, presentedKey, refuseToken } from './bearer.ts';
import { type Operation, operation } from './operation.ts';

interface Needs {
  readonly useKey: KeyUse;
  readonly keyTokens: KeyTokens;
  readonly issuer: string;
}

const answer = z
  .object({
    access_token: z.string().meta({ description: 'A signed token (RFC 9068) for the key’s API.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    scope: z.string(),
  })
  .meta({ id: 'KeyToken', description: 'An access token in the place of an API key.' });

/**
 * `POST auth/api-key`. It is no token exchange (RFC 8693), because that begins with a client that proves itself, and a
 * script has nothing but its key.
 */
export const keyTokenOperations = ({ useKey, keyTokens, issuer }: Needs): readonly Operation[] => [
  operation({
    method: 'post',
    path: '/auth/api-key',
    id: 'exchangeApiKey',
    tag: 'Tokens',
    summary: 'Get a token for an API key',
    description:
      'Send the key as a Bearer token and get a short-lived access token for its API, which services can verify without asking. It ends with the key.',
    access: { kind: 'client' },
    refusals: { unauthenticated: 'The key is not good, or not any more.', rate_limited: 'The key is used too often.' },
    replies: {
      200: {
        description: 'The token.',
        body: answer,
        example: {
          access_token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi',
          token_type: 'Bearer',
          expires_in: 600,
          scope: 'notes:read',
        },
      },
    },
    async handler({ ctx }) {
      const text = presentedKey(ctx);
      const live = text === undefined ? undefined : await useKey(text);
      if (!live) return refuseToken(ctx, issuer, undefined);
      const { value, expiresIn } = await keyTokens.issue(live);
      ctx.set('Cache-Control', 'no-store');
      return {
        status: 200,
        body: {
          access_token: value,
          token_type: 'Bearer',
          expires_in: expiresIn,
          scope: live.scopes.join(' '),
        },
      } as const;
    },
  }),
];
