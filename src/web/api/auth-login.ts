import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { clientFields } from './auth-client.ts';
import { deviceField } from './auth-device.ts';
import { type Shown, secondFactors, tryPassword, trySecondFactor } from './auth-direct.ts';
import { requiresAction, requiresCode, tokens, tokensExample } from './auth-replies.ts';
import { over, refusals, type SignInNeeds, step, tag } from './auth-step.ts';
import { longestTicket } from './auth-ticket.ts';
import { clientsOnly, type Operation, operation } from './operation.ts';

/** The first step. */
export const login = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/login',
    id: 'login',
    tag,
    summary: 'Sign in with a password',
    description:
      'Answers with tokens, or with `requires_2fa` and a `challenge_id`, or with `requires_action` and an address to open in a browser. The rules are those of the sign-in pages.',
    access: clientsOnly,
    body: z.strictObject({
      ...clientFields,
      username: z.string().min(1).max(320).meta({ description: 'Username or email address.' }),
      password: z.string().min(1).max(1000).meta({ description: 'As it was typed.' }),
      scope: z.string().max(1000).default('openid').meta({ description: 'What is asked for, separated by spaces.' }),
      resource: z
        .string()
        .max(500)
        .optional()
        .meta({ description: 'The API that the access token is for (RFC 8707).' }),
      nonce: z.string().min(1).max(300).optional().meta({ description: 'Comes back in the ID token.' }),
      device_token: deviceField,
    }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', username: 'mara', password: 'correct horse battery' },
    refusals: { ...refusals, unauthenticated: 'The client or the name and password are not right.' },
    replies: {
      200: {
        description: 'The tokens, or what is needed before them.',
        body: z.union([tokens, requiresCode, requiresAction]),
        example: tokensExample,
      },
    },
    handler: ({ ctx, meta, body }) =>
      step(needs, { ctx, meta, body }, async (visit) => {
        const order = await needs.firstParty.readOrder(visit.client, body);
        const device = needs.appDevices.read(visit.client.id, body.device_token);
        const ticket = needs.tickets.create(order, device && { device });
        return { ticket, progress: await tryPassword(needs, { ...visit, ticket, use: 'login' }, body) };
      }),
  });

/** What was shown, in one of its two forms. @throws AppError `invalid_input` when it is missing */
function shownBy({
  method,
  code,
  response,
}: {
  readonly method: Shown['method'];
  readonly code?: string | undefined;
  readonly response?: unknown;
}): Shown {
  if (method === 'passkey' && response !== undefined) return { method, response };
  if (method !== 'passkey' && code !== undefined) return { method, code };
  const field = method === 'passkey' ? 'response' : 'code';
  throw new AppError('invalid_input', 'The second factor is missing.', { fields: { [field]: 'It is missing.' } });
}

/** The last step. */
export const loginSecondFactor = (needs: SignInNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/login/2fa',
    id: 'loginSecondFactor',
    tag,
    summary: 'Show the second factor',
    description: 'Finishes a sign-in that answered `requires_2fa`. Five tries in ten minutes; tokens come once.',
    access: clientsOnly,
    body: z.strictObject({
      ...clientFields,
      challenge_id: z.string().min(1).max(longestTicket).meta({ description: 'From `auth/login`.' }),
      method: z.enum(secondFactors).default('totp').meta({ description: 'Which one of `methods`.' }),
      code: z.string().min(1).max(100).optional().meta({ description: 'As it was typed; for all but `passkey`.' }),
      response: z
        .looseObject({})
        .optional()
        .meta({ description: 'For `passkey`: what the platform gave, `AuthenticationResponseJSON`.' }),
    }),
    example: { client_id: 'app_4m7q2x9b1k5n8v3c6z0w', challenge_id: 'v1.k7d2…', method: 'totp', code: '492039' },
    refusals: {
      ...refusals,
      unauthenticated: 'The client or the code is not right.',
      expired: 'The challenge is unknown, used, too old or another client’s.',
    },
    replies: {
      200: {
        description: 'The tokens, or what is needed before them.',
        body: z.union([tokens, requiresAction, requiresCode]),
        example: tokensExample,
      },
    },
    handler: ({ ctx, meta, body }) =>
      step(needs, { ctx, meta, body }, async (visit) => {
        const ticket = needs.tickets.open('login', visit.client.id, body.challenge_id);
        if (!ticket) throw new AppError('expired', over);
        const progress = await trySecondFactor(needs, { ...visit, ticket, use: 'login' }, shownBy(body));
        return { ticket, progress: progress.kind === 'password' ? { kind: 'over' } : progress };
      }),
  });
