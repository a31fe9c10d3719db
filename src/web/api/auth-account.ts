import { z } from 'zod';
import type { Recovery } from '../../recovery/index.ts';
import type { Registration } from '../../registration/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { EntryLimits } from '../account-entry/entry-limits.ts';
import type { AttemptLimits } from '../sign-in/attempt-limits.ts';
import { type Operation, openToAll, operation } from './operation.ts';

/** What the operations before and beside a sign-in need. */
export interface AccountNeeds {
  readonly registration: Pick<Registration, 'register' | 'resend' | 'verifyEmail'>;
  readonly recovery: Pick<Recovery, 'requestReset' | 'reset'>;
  /** Shared with the pages. */
  readonly limits: EntryLimits;
  readonly attempts: Pick<AttemptLimits, 'forget'>;
}

const tag = 'Registration';
const accepted = z
  .object({ status: z.literal('accepted') })
  .meta({ id: 'Accepted', description: 'The request was good. What comes of it is in the mailbox.' });
const acceptedReply = {
  202: { description: 'Always the same, whoever has an account.', body: accepted, example: { status: 'accepted' } },
} as const;
const isAccepted = { status: 202, body: { status: 'accepted' } } as const;
const expired = 'The link was used, replaced or is too old. Ask for another one.';

const newPassword = z.string().min(1).max(1000).meta({ description: 'Held against the password policy.' });
const token = z.string().min(1).max(500).meta({ description: 'From the link of the mail.' });

function refusePassword(reasons: readonly { readonly text: string }[], field = 'password'): never {
  const text = reasons.map((reason) => reason.text).join(' ');
  throw new AppError('invalid_input', 'This password cannot be used.', { fields: { [field]: text } });
}

const register = ({ registration, limits }: AccountNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/register',
    id: 'register',
    tag,
    summary: 'Make an account',
    description:
      'Mails a link to the address. When it has an account already, its owner is told instead, and the answer is the same. A username that is taken is left out.',
    access: openToAll,
    body: z.strictObject({
      email: z.string().min(3).max(320).meta({ description: 'Where the link goes.' }),
      username: z.string().min(1).max(64).optional().meta({ description: 'To sign in with, beside the address.' }),
      password: newPassword,
      name: z.string().min(1).max(200).optional().meta({ description: 'Full name.' }),
      locale: z.string().min(2).max(35).optional().meta({ description: 'Language tag (BCP 47).' }),
      invitation: z.string().min(1).max(500).optional().meta({ description: 'Token of an invitation.' }),
    }),
    example: { email: 'mara@fernhill.example', password: 'correct horse battery staple' },
    refusals: {
      unprocessable: 'The address, the name or the password cannot be used; `fields` says why.',
      forbidden: 'There is no registration here, or not for this address.',
      expired: 'The invitation was used or is too old.',
    },
    replies: acceptedReply,
    async handler({ body, meta }) {
      const { name, ...rest } = body;
      const input = { ...rest, ...(name !== undefined && { profile: { name } }) };
      const result = await registration.register(input, meta, () => limits.registration(meta.ip));
      return result.outcome === 'refused' ? refusePassword(result.reasons) : isAccepted;
    },
  });

const resend = ({ registration, limits }: AccountNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/email/resend',
    id: 'resendVerification',
    tag,
    summary: 'Mail the confirmation again',
    description: 'If the address waits to be confirmed. How many mails one mailbox gets is limited.',
    access: openToAll,
    body: z.strictObject({ email: z.string().min(1).max(320).meta({ description: 'The address.' }) }),
    example: { email: 'mara@fernhill.example' },
    replies: acceptedReply,
    async handler({ body, meta }) {
      await limits.mail(meta.ip);
      await registration.resend(body.email);
      return isAccepted;
    },
  });

const verify = ({ registration }: AccountNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/email/verify',
    id: 'verifyEmail',
    tag,
    summary: 'Confirm an address',
    description:
      'With the token of the mailed link and the password of the registration, or a new one: anybody could have registered the address. A second time is no error. Nobody is signed in by it.',
    access: openToAll,
    body: z.strictObject({
      token,
      password: z.string().min(1).max(1000).optional().meta({ description: 'The one that was registered.' }),
      new_password: newPassword.optional().meta({ description: 'In its place, for whoever did not choose that one.' }),
    }),
    example: { token: 'q7w3e9r5t1y8u4i2o6p0a3s5', password: 'correct horse battery staple' },
    refusals: {
      unprocessable: 'The password is missing or is not the one of the registration, or the new one cannot be used.',
      expired,
    },
    replies: { 204: { description: 'The address is confirmed.' } },
    async handler({ body, meta }) {
      const { token: link, password, new_password: replacement } = body;
      const result = await registration.verifyEmail(link, { password, newPassword: replacement }, meta);
      if (result.outcome === 'expired') throw new AppError('expired', expired);
      if (result.outcome === 'refused') return refusePassword(result.reasons, 'new_password');
      if (result.outcome === 'unproven') {
        const words = 'Send the password of the registration, or a new one.';
        throw new AppError('invalid_input', words, { fields: { password: words } });
      }
      return { status: 204 };
    },
  });

const forgot = ({ recovery, limits }: AccountNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/password/forgot',
    id: 'forgotPassword',
    tag,
    summary: 'Ask for a new password',
    description: 'Mails a link to set a new password, if there is such an account.',
    access: openToAll,
    body: z.strictObject({
      username: z.string().min(1).max(320).meta({ description: 'Username or email address.' }),
    }),
    example: { username: 'mara@fernhill.example' },
    replies: acceptedReply,
    async handler({ body, meta }) {
      await limits.mail(meta.ip);
      await recovery.requestReset(body.username, meta);
      return isAccepted;
    },
  });

const reset = ({ recovery, attempts }: AccountNeeds): Operation =>
  operation({
    method: 'post',
    path: '/auth/password/reset',
    id: 'resetPassword',
    tag,
    summary: 'Set a new password',
    description:
      'With the token of the mailed link, once. Every session ends; the second factor stays. A password that is refused uses nothing up.',
    access: openToAll,
    body: z.strictObject({ token, password: newPassword }),
    example: { token: 'q7w3e9r5t1y8u4i2o6p0a3s5', password: 'correct horse battery staple' },
    refusals: { unprocessable: 'The password cannot be used; `fields` says why.', expired },
    replies: { 204: { description: 'The password is set.' } },
    async handler({ body, meta }) {
      const result = await recovery.reset(body.token, body.password, meta);
      if (result.outcome === 'refused') return refusePassword(result.reasons);
      if (result.outcome === 'expired') throw new AppError('expired', expired);
      await attempts.forget(meta.ip, result.accountId);
      return { status: 204 };
    },
  });

/** How accounts begin and how a password is replaced, for apps that draw the forms themselves. Anybody may call. */
export const accountOperations = (needs: AccountNeeds): readonly Operation[] => [
  register(needs),
  verify(needs),
  resend(needs),
  forgot(needs),
  reset(needs),
];
