import type { Actor } from '../audit/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { type ConfirmChangeResult, changeEmail, confirmEmailChange } from './change-email.ts';
import { type LinkView, viewLink } from './confirm-link.ts';
import { type Invitation, invite, type NewInvitation } from './invite.ts';
import type { RegistrationParts, RequestMeta } from './parts.ts';
import { type NewRegistration, type RegistrationResult, register } from './register.ts';
import type { RegistrationPolicy } from './registration-policy.ts';
import { resendVerification } from './send-verification.ts';
import { type VerifyResult, verifyEmail } from './verify-email.ts';

/** How accounts begin, and how they get and change their address. What a link does is done by a POST, never by opening it. */
export interface Registration {
  /** What pages say: whether there is a form, and whether it asks for an invitation. */
  readonly policy: RegistrationPolicy;
  /** See {@link register}. @throws AppError `forbidden`, `invalid_input`, `expired`, `unavailable`. */
  register(input: NewRegistration, meta?: RequestMeta): Promise<RegistrationResult>;
  /** Mails the link of an address that was not confirmed again. The answer is the same for any text. */
  resend(email: string): Promise<{ readonly outcome: 'accepted' }>;
  viewVerification(token: string): Promise<LinkView>;
  verifyEmail(token: string, meta?: RequestMeta): Promise<VerifyResult>;
  /** The caller has seen a fresh sign-in. @throws AppError `not_found`, `invalid_input`. */
  changeEmail(accountId: AccountId, newEmail: string, meta?: RequestMeta): Promise<{ readonly outcome: 'accepted' }>;
  viewEmailChange(token: string): Promise<LinkView>;
  confirmEmailChange(token: string, meta?: RequestMeta): Promise<ConfirmChangeResult>;
  /** @throws AppError `forbidden`, `invalid_input`, `conflict`. */
  invite(input: NewInvitation, by: Actor, meta?: RequestMeta): Promise<Invitation>;
  /** For the form behind an invitation. */
  viewInvitation(token: string): Promise<{ readonly email: string; readonly expiresAt: number } | undefined>;
  /** Forgets links that did their work long ago, and says how many. */
  purge(): Promise<number>;
}

const batch = 1_000;

async function purge({ confirmed, clock }: RegistrationParts): Promise<number> {
  let total = 0;
  for (let removed = batch; removed >= batch; total += removed) removed = await confirmed.purge(clock.now(), batch);
  return total;
}

/** Makes the registration domain. */
export const createRegistration = (parts: RegistrationParts): Registration => ({
  policy: parts.policy,
  register: (input, meta = {}) => register(parts, input, meta),
  resend: (email) => resendVerification(parts, email),
  viewVerification: (token) => viewLink(parts, 'verify-email', token),
  verifyEmail: (token, meta = {}) => verifyEmail(parts, token, meta),
  changeEmail: (accountId, newEmail, meta = {}) => changeEmail(parts, accountId, newEmail, meta),
  viewEmailChange: (token) => viewLink(parts, 'change-email', token),
  confirmEmailChange: (token, meta = {}) => confirmEmailChange(parts, token, meta),
  invite: (input, by, meta = {}) => invite(parts, input, by, meta),
  async viewInvitation(token) {
    const link = await parts.links.peek('invitation', token);
    return link && { email: link.email, expiresAt: link.expiresAt };
  },
  purge: () => purge(parts),
});
