// Sign-in: takes a person from the first door to the last, and says how they got through. Owns tables `sign_in_flow`,
// `sign_in_throttle` and `passkey_offer`. What is next is decided in next-step.ts alone, from stored evidence; no step
// names another. It draws no pages, knows no protocol and keeps no session. Needs: accounts, credentials, passkeys,
// devices, one-time-secrets, notifications, registration, audit; it reads some of their tables in one statement.
export type { AccountFacts, AccountFactsStore } from './account-facts.ts';
export {
  type Authentication,
  describeEvidence,
  type Evidence,
  type Method,
  type Proof,
  readEvidence,
  withProof,
} from './evidence.ts';
export type { SignInPolicy } from './flow.ts';
export type { Advance, FlowStore, FlowVersion } from './flow-store.ts';
export type { MailSignIn } from './mail-sign-in.ts';
export {
  type AccountFactors,
  type EmailPolicy,
  nextStep,
  type Requirement,
  type SecondFactor,
  type Standing,
  type Step,
} from './next-step.ts';
export type { SignInParts } from './parts.ts';
export { createSignIn, type SignIn } from './sign-in.ts';
export type {
  ChangeResult,
  DoorInput,
  EnrolmentResult,
  FinishedSignIn,
  FlowView,
  MailResult,
  NewSignIn,
  PasswordInput,
  Refusal,
  RefusedStep,
  RequestMeta,
  SubmitResult,
  TryingDevice,
} from './sign-in-types.ts';
export { expired } from './situation.ts';
export type { PasskeyInput } from './submit-passkey.ts';
export type { Refused, Reservation, ThrottleStore, TryingBrowser } from './throttle-store.ts';
