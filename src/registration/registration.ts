import type { Actor } from '../audit/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { type ConfirmChangeResult, changeEmail, confirmEmailChange } from './change-email.ts';
import { type LinkView, viewLink } from './confirm-link.ts';
import { type Invitation, invite, type NewInvitation } from './invite.ts';
import type { RegistrationParts, RequestMeta } from './parts.ts';
import { type NewRegistration, type RegistrationResult, register } from './register.ts';
import type { RegistrationPolicy } from './registration-policy.ts';
import { resendVerification } from './send-verification.ts';
import {
  discardRegistration,
  disown,
  type RegistrationProof,
  type VerificationView,
  type VerifyResult,
  verifyEmail,
  viewVerification,
} from './verify-email.ts';

/** How accounts begin, and how they get and change their address. What a link does is done by a POST, never by opening it. */
export interface Registration {
  /** What pages say: whether there is a form, and whether it asks for an invitation. */
  readonly policy: RegistrationPolicy;
  /** See {@link register}. @throws AppError `forbidden`, `invalid_input`, `expired`, `unavailable`. */
  register(input: NewRegistration, meta?: RequestMeta, admit?: () => Promise<void>): Promise<RegistrationResult>;
  /** Mails the link of an address that was not confirmed again. The answer is the same for any text. */
  resend(email: string): Promise<{ readonly outcome: 'accepted' }>;
  /** `browser` is the secret that this browser keeps, if any. */
  viewVerification(token: string, browser?: string): Promise<VerificationView>;
  /** See {@link verifyEmail}: the link and a proof of the registration, or a new password. @throws AppError `unavailable`. */
  verifyEmail(token: string, proof: RegistrationProof, meta?: RequestMeta): Promise<VerifyResult>;
  /** Removes what somebody else registered with this address. */
  discard(token: string, meta?: RequestMeta): Promise<{ readonly outcome: 'discarded' | 'already' | 'expired' }>;
  /**
   * The caller has seen a fresh sign-in. `signedInAt` is its moment (milliseconds, default: now), and not that of the
   * request: the account may be taken back in between. @throws AppError `not_found`, `invalid_input`.
   */
  changeEmail(
    accountId: AccountId,
    newEmail: string,
    meta?: RequestMeta,
    signedInAt?: number,
  ): Promise<{ readonly outcome: 'accepted' }>;
  viewEmailChange(token: string): Promise<LinkView>;
  confirmEmailChange(token: string, meta?: RequestMeta): Promise<ConfirmChangeResult>;
  /** @throws AppError `forbidden`, `invalid_input`, `conflict`. */
  invite(input: NewInvitation, by: Actor, meta?: RequestMeta): Promise<Invitation>;
  /** For the form behind an invitation. */
  viewInvitation(token: string): Promise<{ readonly email: string; readonly expiresAt: number } | undefined>;
  /** See {@link disown}: for others who confirm an address, before they do. */
  disown(accountId: AccountId): Promise<void>;
  /** Forgets links that did their work long ago and accounts that were never confirmed, and says how many. */
  purge(): Promise<number>;
}

const batch = 1_000;
/** Accounts in one transaction. */
const discards = 20;

async function purgeLinks({ confirmed, clock }: RegistrationParts): Promise<number> {
  let total = 0;
  for (let removed = batch; removed >= batch; total += removed) removed = await confirmed.purge(clock.now(), batch);
  return total;
}

/** Removes accounts that waited too long. One that was confirmed otherwise, or stopped, stays and waits no more. */
async function purgePending(parts: RegistrationParts): Promise<number> {
  const { pending, accounts, life, forget, clock, policy, transaction } = parts;
  const before = clock.now() - policy.unverifiedDays * 86_400_000;
  const discardSome = () =>
    transaction(async () => {
      const ids = await pending.takeOlder(before, discards);
      const gone: AccountId[] = [];
      for (const id of ids) {
        const account = await accounts.find(id);
        if (account && (await life.discard(id, account.email, { kind: 'system' }))) gone.push(id);
      }
      if (gone.length > 0) await forget(gone);
      return { taken: ids.length, gone: gone.length };
    });
  for (let total = 0; ; ) {
    const { taken, gone } = await discardSome();
    total += gone;
    if (taken < discards) return total;
  }
}

/** Makes the registration domain. */
export const createRegistration = (parts: RegistrationParts): Registration => ({
  policy: parts.policy,
  register: (input, meta = {}, admit = async () => undefined) => register(parts, input, meta, admit),
  resend: (email) => resendVerification(parts, email),
  viewVerification: (token, browser) => viewVerification(parts, token, browser),
  verifyEmail: (token, proof, meta = {}) => verifyEmail(parts, token, proof, meta),
  disown: (accountId) => disown(parts, accountId),
  discard: (token, meta = {}) => discardRegistration(parts, token, meta),
  changeEmail: (accountId, newEmail, meta = {}, signedInAt = parts.clock.now()) =>
    changeEmail(parts, accountId, newEmail, meta, signedInAt),
  viewEmailChange: (token) => viewLink(parts, 'change-email', token),
  confirmEmailChange: (token, meta = {}) => confirmEmailChange(parts, token, meta),
  invite: (input, by, meta = {}) => invite(parts, input, by, meta),
  async viewInvitation(token) {
    const link = await parts.links.peek('invitation', token);
    return link && { email: link.email, expiresAt: link.expiresAt };
  },
  purge: async () => (await purgePending(parts)) + (await purgeLinks(parts)),
});
