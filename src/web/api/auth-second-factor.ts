import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { clientFields, directClient, proofOf } from './auth-client.ts';
import { over, refusals, type SignInNeeds, secondsUntil, tag } from './auth-step.ts';
import { flowOf, longestTicket } from './auth-ticket.ts';
import { clientsOnly, type Operation, operation } from './operation.ts';

const challenge = z.string().min(1).max(longestTicket).meta({ description: 'From `auth/login`.' });
const lost = 'The challenge is unknown, used, too old or another client’s.';

/** The sign-in of a challenge. @throws AppError `expired` for one that is not this client's. */
async function flowFor(
  needs: SignInNeeds,
  ctx: Context,
  body: Readonly<Record<string, unknown>> & { readonly challenge_id: string },
): Promise<string> {
  const client = await directClient(needs, ctx, proofOf(ctx, body));
  const ticket = needs.tickets.open('login', client.id, body.challenge_id);
  if (!ticket) throw new AppError('expired', over);
  return flowOf('login', client.id, ticket);
}

/** Has the code of the second step mailed. */
export const mailCode = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/login/2fa/email',
    id: 'mailSecondFactor',
    tag,
    summary: 'Have a code mailed',
    description: 'For a challenge whose `methods` name `email`. The code is good for this challenge alone.',
    access: clientsOnly,
    body: z.strictObject({
      ...clientFields,
      challenge_id: challenge,
      again: z
        .boolean()
        .default(false)
        .meta({ description: 'Another one, half a minute after the last at the earliest.' }),
    }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', challenge_id: 'v1.k7d2…' },
    refusals: { ...refusals, conflict: 'No mailed code opens this sign-in.', expired: lost },
    replies: {
      202: {
        description: 'It is on its way.',
        body: z.object({
          status: z.enum(['sent', 'waits']).meta({ description: '`waits`: one is on its way already.' }),
        }),
        example: { status: 'sent' },
      },
    },
    async handler({ ctx, meta, body }) {
      const result = await needs.signIn.mailSecondStep(await flowFor(needs, ctx, body), body.again, meta);
      if (result.outcome === 'sent' || result.outcome === 'waits')
        return { status: 202, body: { status: result.outcome } };
      if (result.outcome === 'limited') {
        const retryAfter = secondsUntil(needs.clock, result.retryAt);
        throw new AppError('rate_limited', 'Too many codes were mailed.', { retryAfter, reason: 'mails' });
      }
      if (!result.view) throw new AppError('expired', over);
      throw new AppError('conflict', 'No mailed code opens this sign-in.');
    },
  });

/** What a platform asks its authenticators with. */
export const passkeyOptions = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/login/2fa/passkey',
    id: 'passkeyOptions',
    tag,
    summary: 'Get what a passkey is asked with',
    description: 'For a challenge whose `methods` name `passkey`. Send what the platform gives as `response`.',
    access: clientsOnly,
    body: z.strictObject({ ...clientFields, challenge_id: challenge }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', challenge_id: 'v1.k7d2…' },
    refusals: { ...refusals, conflict: 'No passkey opens this sign-in.', expired: lost },
    replies: {
      200: {
        description: 'The options.',
        body: z.object({
          options: z
            .looseObject({})
            .meta({ description: '`PublicKeyCredentialRequestOptionsJSON` of Web Authentication Level 3 §5.5.' }),
        }),
        example: {
          options: { challenge: 'q7w3e9r5t1y8u4i2o6p0a3s5', rpId: 'id.example', userVerification: 'preferred' },
        },
      },
    },
    async handler({ ctx, body }) {
      const flow = await flowFor(needs, ctx, body);
      return { status: 200, body: { options: { ...(await needs.signIn.beginPasskey(flow)) } } };
    },
  });
