import { z } from 'zod';
import { clientFields, directClient, proofOf, refusalOf, unproven } from './auth-client.ts';
import { tokens, tokensExample } from './auth-replies.ts';
import { refusals, type SignInNeeds, tag, tokensOf } from './auth-step.ts';
import { clientsOnly, type Operation, operation } from './operation.ts';

/** As the token endpoint does it. */
export const refresh = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/refresh',
    id: 'refresh',
    tag,
    summary: 'Get new tokens',
    description:
      'As the grant `refresh_token` at the token endpoint: the token is used once, and a new one comes back.',
    access: clientsOnly,
    body: z.strictObject({
      ...clientFields,
      refresh_token: z.string().min(1).max(2000).meta({ description: 'The last one.' }),
      scope: z.string().min(1).max(1000).optional().meta({ description: 'Fewer scopes than were granted.' }),
      resource: z.string().min(1).max(500).optional().meta({ description: 'The API that was granted.' }),
    }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', refresh_token: 'rt_b5x1c9v3m7k2q8w4e6r0t2y5' },
    refusals: {
      forbidden: refusals.forbidden,
      unauthenticated: 'The client or the refresh token is not good, or not any more.',
    },
    replies: { 200: { description: 'The tokens.', body: tokens, example: tokensExample } },
    handler: ({ ctx, body }) =>
      needs.calls.together(async () => {
        const proof = proofOf(ctx, body);
        await directClient(needs, ctx, proof);
        const { refresh_token, scope, resource } = body;
        const fields = {
          refresh_token,
          ...(scope !== undefined && { scope }),
          ...(resource !== undefined && { resource }),
        };
        const answer = await needs.calls.refresh(ctx, proof, fields);
        return {
          status: 200,
          body: tokensOf(ctx, answer, 'The refresh token is not good any more. Sign in again.'),
        } as const;
      }),
  });

/** As the revocation endpoint does it, and everywhere at once. */
export const logout = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/logout',
    id: 'logout',
    tag,
    summary: 'Sign out',
    description:
      'Ends the session and all its tokens. With `all`, every session of the person, in browsers and apps. A token that nobody knows is no error.',
    access: clientsOnly,
    body: z.strictObject({
      ...clientFields,
      refresh_token: z.string().min(1).max(2000).meta({ description: 'The last one of the session.' }),
      all: z.boolean().default(false).meta({ description: 'Everywhere. It needs a refresh token that is still good.' }),
    }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', refresh_token: 'rt_b5x1c9v3m7k2q8w4e6r0t2y5', all: false },
    refusals: {
      forbidden: refusals.forbidden,
      unauthenticated: 'The client is not who it says, or with `all` the refresh token is not good any more.',
    },
    replies: { 204: { description: 'It is over.' } },
    handler: ({ ctx, meta, body }) =>
      needs.calls.together(async () => {
        const proof = proofOf(ctx, body);
        const client = await directClient(needs, ctx, proof);
        const found = body.all ? await needs.firstParty.findRefreshToken(body.refresh_token) : undefined;
        if (body.all && !(found?.live && found.clientId === client.id)) {
          throw unproven(ctx, 'Signing out everywhere needs a refresh token that is still good.');
        }
        const answer = await needs.calls.revoke(ctx, proof, body.refresh_token);
        if (answer.status !== 200) throw refusalOf(ctx, answer, '');
        if (found)
          await needs.sessions.endAll(found.accountId, { kind: 'account', id: found.accountId }, 'ended-all', meta);
        return { status: 204 } as const;
      }),
  });
