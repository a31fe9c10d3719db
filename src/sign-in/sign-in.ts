import { beginEnrolment, confirmEnrolment } from './enroll-totp.ts';
import { finish } from './finish.ts';
import { toMilliseconds } from './flow.ts';
import { acknowledgeBackupCodes, renewBackupCodes } from './keep-backup-codes.ts';
import { look, open, restart, view } from './open-flow.ts';
import type { SignInParts } from './parts.ts';
import type {
  EnrolmentResult,
  FinishedSignIn,
  FlowView,
  NewSignIn,
  PasswordInput,
  RequestMeta,
  SubmitResult,
} from './sign-in-types.ts';
import { submitPassword } from './submit-password.ts';
import { submitBackupCode, submitTotp } from './submit-second-factor.ts';
import { delaysOf } from './throttle.ts';

/**
 * Takes people from the first door to the last. Each method looks at the flow as it is stored, so no order, repetition or
 * number of calls at once skips or doubles a step. Call it outside a transaction: hashing a password inside would hold it.
 */
export interface SignIn {
  /** Starts the sign-in of this id, or finds it where it was left. @throws AppError `expired` when it is over. */
  open(flowId: string, input: NewSignIn): Promise<FlowView>;
  /** Finds it where it was left, or says where it would start and stores it only if that is worth it. @throws AppError `expired` when it is over. */
  look(flowId: string, input: NewSignIn): Promise<FlowView>;
  /** Undefined when the sign-in is over, unknown or nothing of it is stored. */
  view(flowId: string): Promise<FlowView | undefined>;
  submitPassword(flowId: string, input: PasswordInput, meta: RequestMeta): Promise<SubmitResult>;
  submitTotp(flowId: string, code: string, meta: RequestMeta): Promise<SubmitResult>;
  submitBackupCode(flowId: string, code: string, meta: RequestMeta): Promise<SubmitResult>;
  /** The secret to scan; the same one until it is confirmed or 10 minutes are over. @throws AppError `expired`, `conflict`. */
  beginEnrolment(flowId: string): Promise<{ secret: string; uri: string; label: string }>;
  /** Enrols the app that shows this code, and makes the backup codes. They are returned here and never again. */
  confirmEnrolment(flowId: string, code: string, meta: RequestMeta): Promise<EnrolmentResult>;
  /** Makes other backup codes while the step is `show-backup-codes`. @throws AppError `expired`, `conflict`. */
  renewBackupCodes(flowId: string, meta: RequestMeta): Promise<readonly string[]>;
  /** The person has stored the codes. Saying it twice changes nothing. @throws AppError `expired`. */
  acknowledgeBackupCodes(flowId: string): Promise<FlowView>;
  /** Forgets everything that was proven. @throws AppError `expired`. */
  restart(flowId: string): Promise<FlowView>;
  /** Ends a sign-in whose step is `done`. It works once. @throws AppError `expired`, `conflict`. */
  finish(flowId: string, meta?: RequestMeta): Promise<FinishedSignIn>;
  /** How many accounts are paused after too many failed tries, counted up to `atMost`. */
  countPaused(atMost: number): Promise<number>;
  /** Deletes what is over, in batches, and says how many rows. */
  purge(): Promise<number>;
}

const batch = 1000;
const throttleMemory = 86_400_000;

async function purge({ flows, throttle, clock, policy }: SignInParts): Promise<number> {
  const now = clock.now();
  const before = now - Math.max(throttleMemory, toMilliseconds(policy.lockoutSeconds));
  let total = 0;
  for (const remove of [() => flows.purge(now, batch), () => throttle.purge(before, now, batch)]) {
    let removed = batch;
    while (removed === batch) {
      removed = await remove();
      total += removed;
    }
  }
  return total;
}

function countPaused({ throttle, clock, policy }: SignInParts, atMost: number): Promise<number> {
  const now = clock.now();
  const since = now - toMilliseconds(policy.lockoutSeconds);
  return throttle.countLocked({ tries: delaysOf(policy).length, since, now, atMost });
}

/** Makes the sign-in domain. */
export const createSignIn = (parts: SignInParts): SignIn => ({
  open: (flowId, input) => open(parts, flowId, input),
  look: (flowId, input) => look(parts, flowId, input),
  view: (flowId) => view(parts, flowId),
  submitPassword: (flowId, input, meta) => submitPassword(parts, flowId, input, meta),
  submitTotp: (flowId, code, meta) => submitTotp(parts, flowId, code, meta),
  submitBackupCode: (flowId, code, meta) => submitBackupCode(parts, flowId, code, meta),
  beginEnrolment: (flowId) => beginEnrolment(parts, flowId),
  confirmEnrolment: (flowId, code, meta) => confirmEnrolment(parts, flowId, code, meta),
  renewBackupCodes: (flowId, meta) => renewBackupCodes(parts, flowId, meta),
  acknowledgeBackupCodes: (flowId) => acknowledgeBackupCodes(parts, flowId),
  restart: (flowId) => restart(parts, flowId),
  finish: (flowId, meta) => finish(parts, flowId, meta),
  countPaused: (atMost) => countPaused(parts, atMost),
  purge: () => purge(parts),
});
