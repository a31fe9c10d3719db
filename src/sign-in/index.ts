// Sign-in: takes a person from the first door to the last, and says how they got through. Owns tables `sign_in_flow` and
// `sign_in_throttle`. What is next is decided in next-step.ts alone, from stored evidence; no step names another.
// It draws no pages, knows no protocol and keeps no session. Needs: accounts, credentials, audit.
export { type Authentication, describeEvidence, type Evidence, type Method } from './evidence.ts';
export type { SignInPolicy } from './flow.ts';
export type { Advance, FlowStore, FlowVersion } from './flow-store.ts';
export { nextStep, type Requirement, type Standing, type Step } from './next-step.ts';
export type { SignInParts } from './parts.ts';
export { createSignIn, type SignIn } from './sign-in.ts';
export type {
  EnrolmentResult,
  FinishedSignIn,
  FlowView,
  NewSignIn,
  PasswordInput,
  Refusal,
  RefusedStep,
  RequestMeta,
  SubmitResult,
} from './sign-in-types.ts';
export type { Refused, Reservation, ThrottleStore } from './throttle-store.ts';
