// Registration: how accounts begin and how addresses are confirmed and changed, by single-use links and without telling a
// stranger who has an account. Owns tables `confirmed_link` and `pending_registration`. It makes no sign-in and counts no requests: limits are the
// edge's, caps of mails are the notifications'. Needs: accounts, credentials, revocation, one-time-secrets, notifications, audit.
export { type AnswerTime, createAnswerTime } from './answer-time.ts';
export type { ConfirmChangeResult } from './change-email.ts';
export type { LinkView } from './confirm-link.ts';
export type { ConfirmedLinkStore } from './confirmed-link-store.ts';
export type { Invitation, NewInvitation } from './invite.ts';
export {
  longestAfterEnd,
  occasionOf,
  type RegistrationParts,
  type RegistrationPaths,
  type RequestMeta,
} from './parts.ts';
export type { PendingRegistrationStore } from './pending-registration-store.ts';
export type { NewRegistration, RegistrationResult } from './register.ts';
export { createRegistration, type Registration } from './registration.ts';
export type { RegistrationPolicy } from './registration-policy.ts';
export type { RegistrationProof, VerificationView, VerifyResult } from './verify-email.ts';
