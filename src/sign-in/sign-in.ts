import { hasSecondFactor, type PasswordRules } from '../credentials/index.ts';
import type { CreationOptions, RequestOptions } from '../passkeys/index.ts';
import type { AccountId } from '../shared/ids.ts';
import { beginEnrolment, confirmEnrolment } from './enroll-totp.ts';
import { finish, recordSuccess } from './finish.ts';
import { toMilliseconds } from './flow.ts';
import { acknowledgeBackupCodes, renewBackupCodes } from './keep-backup-codes.ts';
import { answerOffer, beginOfferedPasskey, changePassword, passwordRules, resendVerification } from './last-steps.ts';
import { withLiveEvidence } from './live-evidence.ts';
import { mailSecondStep } from './mail-code.ts';
import { type MailSignIn, mailSignIn, submitMailedCode, submitMailedLink } from './mail-sign-in.ts';
import { look, open, restart, view } from './open-flow.ts';
import type { SignInParts } from './parts.ts';
import type {
  ChangeResult,
  DoorInput,
  EnrolmentResult,
  FinishedSignIn,
  FlowView,
  MailResult,
  NewSignIn,
  PasswordInput,
  RequestMeta,
  SubmitResult,
  TryingDevice,
} from './sign-in-types.ts';
import { knowOf } from './situation.ts';
import { beginPasskey, type PasskeyInput, submitPasskey } from './submit-passkey.ts';
import { submitPassword } from './submit-password.ts';
import { submitBackupCode, submitEmailCode, submitTotp } from './submit-second-factor.ts';
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
  submitTotp(flowId: string, code: string, meta: RequestMeta, device?: TryingDevice): Promise<SubmitResult>;
  submitBackupCode(flowId: string, code: string, meta: RequestMeta, device?: TryingDevice): Promise<SubmitResult>;
  /** Whether browsers can use passkeys here at all. */
  readonly passkeysUsable: boolean;
  /** What opens the first door in the place of a password. */
  readonly emailSignIn: 'off' | 'code' | 'link';
  /** For the browser, at whichever door is next. @throws AppError `expired`; `conflict` when no passkey is waited for. */
  beginPasskey(flowId: string, start?: NewSignIn): Promise<RequestOptions>;
  /** At whichever door is next. Refused as `mismatch`, whatever was wrong. */
  submitPasskey(flowId: string, input: PasskeyInput, meta: RequestMeta): Promise<SubmitResult>;
  /** Mails the code of the way `email` through the second door, unless one is there; `again` asks for another. */
  mailSecondStep(flowId: string, again: boolean, meta: RequestMeta): Promise<MailResult>;
  submitEmailCode(flowId: string, code: string, meta: RequestMeta, device?: TryingDevice): Promise<SubmitResult>;
  /** Mails a code or link for the first door, to whoever has an account. @throws AppError `forbidden`. */
  mailSignIn(flowId: string, wish: MailSignIn, meta: RequestMeta): Promise<MailResult>;
  submitMailedCode(flowId: string, code: string, input: DoorInput, meta: RequestMeta): Promise<SubmitResult>;
  submitMailedLink(flowId: string, token: string, input: DoorInput, meta: RequestMeta): Promise<SubmitResult>;
  /** Mails the link that confirms the address again, while the step is `verify-email`. @throws AppError `expired`. */
  resendVerification(flowId: string): Promise<FlowView>;
  /** What the password of the step `change-password` has to be. @throws AppError `expired`, `conflict`. */
  passwordRules(flowId: string): Promise<{ readonly rules: PasswordRules; readonly names: readonly string[] }>;
  /**
   * Everything that was proven before ends with the old password, by whole seconds: a surface that makes tokens has to
   * wait for the next one. @throws AppError `unavailable` when overloaded.
   */
  changePassword(flowId: string, password: string, meta: RequestMeta): Promise<ChangeResult>;
  /** What the passkey of the step `offer-passkey` is made with. @throws AppError `expired`, `conflict`. */
  beginOfferedPasskey(flowId: string): Promise<CreationOptions>;
  /** Adds it, or goes on without for an undefined `response`. @throws AppError `invalid_input`, `expired`, `conflict`. */
  answerOffer(flowId: string, response: unknown, meta: RequestMeta): Promise<FlowView>;
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
  finish(flowId: string): Promise<FinishedSignIn>;
  /**
   * Writes down that somebody signed in. For the transaction that opens the session: both are kept or none is, and the log
   * can name the session.
   */
  recordSuccess(finished: FinishedSignIn, meta: RequestMeta): Promise<void>;
  /** Whether an account has something that a sign-in asks for beside the password. One round trip. */
  hasSecondFactor(accountId: AccountId): Promise<boolean>;
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
export function createSignIn(given: SignInParts): SignIn {
  const { flows, revocations } = given;
  const parts = { ...given, flows: withLiveEvidence(flows, revocations) };
  return {
    open: (flowId, input) => open(parts, flowId, input),
    look: (flowId, input) => look(parts, flowId, input),
    view: (flowId) => view(parts, flowId),
    submitPassword: (flowId, input, meta) => submitPassword(parts, flowId, input, meta),
    submitTotp: (flowId, code, meta, device) => submitTotp(parts, flowId, code, { meta, device }),
    submitBackupCode: (flowId, code, meta, device) => submitBackupCode(parts, flowId, code, { meta, device }),
    passkeysUsable: parts.passkeys.usable,
    emailSignIn: parts.policy.email?.signIn ?? 'off',
    beginPasskey: (flowId, start) => beginPasskey(parts, flowId, start),
    submitPasskey: (flowId, input, meta) => submitPasskey(parts, flowId, input, meta),
    mailSecondStep: (flowId, again, meta) => mailSecondStep(parts, flowId, again, meta),
    submitEmailCode: (flowId, code, meta, device) => submitEmailCode(parts, flowId, code, { meta, device }),
    mailSignIn: (flowId, wish, meta) => mailSignIn(parts, flowId, wish, meta),
    submitMailedCode: (flowId, code, input, meta) => submitMailedCode(parts, flowId, code, input, meta),
    submitMailedLink: (flowId, token, input, meta) => submitMailedLink(parts, flowId, token, input, meta),
    resendVerification: (flowId) => resendVerification(parts, flowId),
    passwordRules: (flowId) => passwordRules(parts, flowId),
    changePassword: (flowId, password, meta) => changePassword(parts, flowId, password, meta),
    beginOfferedPasskey: (flowId) => beginOfferedPasskey(parts, flowId),
    answerOffer: (flowId, response, meta) => answerOffer(parts, flowId, response, meta),
    beginEnrolment: (flowId) => beginEnrolment(parts, flowId),
    confirmEnrolment: (flowId, code, meta) => confirmEnrolment(parts, flowId, code, meta),
    renewBackupCodes: (flowId, meta) => renewBackupCodes(parts, flowId, meta),
    acknowledgeBackupCodes: (flowId) => acknowledgeBackupCodes(parts, flowId),
    restart: (flowId) => restart(parts, flowId),
    finish: (flowId) => finish(parts, flowId),
    recordSuccess: (finished, meta) => recordSuccess(parts, finished, meta),
    async hasSecondFactor(accountId) {
      const { passkeys = 0, ...factors } = (await knowOf(parts, accountId)).factors;
      return hasSecondFactor({ ...factors, passkeys });
    },
    countPaused: (atMost) => countPaused(parts, atMost),
    purge: () => purge(parts),
  };
}
