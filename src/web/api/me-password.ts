import { z } from 'zod';
import type { PasswordChangeResult } from '../../account-settings/index.ts';
import { AppError } from '../../shared/errors.ts';
import { contextOf, type MeSurface, sessionOf } from './me-surface.ts';
import { type Operation, operation, type PersonCaller, person } from './operation.ts';
import { Unprocessable } from './unprocessable.ts';

const secondsUntil = ({ clock }: MeSurface, at: number): number => Math.max(1, Math.ceil((at - clock.now()) / 1000));

function refuse(surface: MeSurface, result: Exclude<PasswordChangeResult, { outcome: 'changed' }>): never {
  if (result.outcome === 'paused') {
    const details = { retryAfter: secondsUntil(surface, result.retryAt) };
    throw new AppError('rate_limited', 'Too many wrong passwords. This one was not looked at.', details);
  }
  if (result.outcome === 'wrong_password') {
    const { retryAt } = result;
    const text = 'This is not your password.';
    throw new Unprocessable('The current password does not match. Nothing was changed.', {
      fields: { current_password: text },
      retryAfter: retryAt === undefined ? undefined : secondsUntil(surface, retryAt),
    });
  }
  const text = result.reasons.map((reason) => reason.text).join(' ');
  throw new Unprocessable('The new password cannot be used. Nothing was changed.', { fields: { new_password: text } });
}

async function change(
  surface: MeSurface,
  caller: PersonCaller,
  body: { current_password?: string | undefined; new_password: string },
  context: ReturnType<typeof contextOf>,
): Promise<void> {
  const { accountSettings: settings } = surface;
  const { account, by } = caller;
  const current = body.current_password ?? '';
  // An empty field is no guess.
  if (current === '' && (await settings.securityState(account)).factors.password) {
    const text = 'Give the password that you have now.';
    throw new Unprocessable(text, { fields: { current_password: text } });
  }
  // A token is over whatever session it is of; only a browser can be signed in anew.
  const session = await sessionOf(surface, caller);
  const keepSession = by.kind === 'browser' ? session?.id : undefined;
  const change = { current, next: body.new_password, keepSession, deviceHash: session?.deviceHash };
  const result = await settings.changePassword(account, change, context);
  if (result.outcome !== 'changed') refuse(surface, result);
  if (by.kind === 'browser' && result.endedUntil !== undefined) await by.renew({ after: result.endedUntil });
}

/** `POST me/password`. */
export const passwordOperations = (surface: MeSurface): readonly Operation[] => [
  operation({
    method: 'post',
    path: '/me/password',
    id: 'changeMyPassword',
    tag: 'Password and second factor',
    summary: 'Change your password',
    description:
      'Every other session and every access and refresh token of the account ends, the token of this request too; a browser that calls stays signed in. Wrong current passwords count like those of a sign-in.',
    access: person('account:security', 'recent'),
    body: z.strictObject({
      current_password: z.string().max(4096).optional().meta({ description: 'Left out by somebody who has none yet.' }),
      new_password: z.string().max(4096).meta({ description: 'What the password policy takes.' }),
    }),
    example: { current_password: 'seven quiet herons at dawn', new_password: 'nine lanterns under the old bridge' },
    refusals: {
      conflict: 'The password or the second factor was changed at the same moment. Nothing was changed by this.',
      unprocessable: 'The current password does not match, or the policy does not take the new one.',
    },
    replies: { 204: { description: 'The password is changed.' } },
    async handler({ caller, body, meta }) {
      await change(surface, caller, body, contextOf(caller, meta));
      return { status: 204 };
    },
  }),
];
