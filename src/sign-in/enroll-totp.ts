import type { PreparedCodes } from '../credentials/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { type CodeTry, findCodeTry, takeCodeTry } from './code-try.ts';
import { withMethod } from './evidence.ts';
import { recordFailure } from './failures.ts';
import type { Flow } from './flow.ts';
import type { SignInParts } from './parts.ts';
import type { EnrolmentResult, RequestMeta } from './sign-in-types.ts';
import { getSituation, refuse, situationOf, viewOf } from './situation.ts';
import { takeStep } from './take-step.ts';
import { triedIn } from './throttle.ts';

/** What is shown for scanning. It belongs to this flow: another one of the same account gets another secret. */
export async function beginEnrolment(
  parts: SignInParts,
  flowId: string,
): Promise<{ secret: string; uri: string; label: string }> {
  const { step, account, flow } = await getSituation(parts, flowId);
  if (step !== 'enroll-totp' || !account) {
    throw new AppError('conflict', 'Setting up an authenticator app is not the next step. Go back to the sign-in.');
  }
  const label = account.email;
  return { ...(await parts.credentials.totp.begin(account.id, label, { binding: flow.id })), label };
}

interface Confirmation extends CodeTry {
  readonly code: string;
  readonly meta: RequestMeta;
}

/** Enrols the app, stores the codes and takes the step, all or nothing. */
function enroll(
  { flows, throttle, credentials, clock }: SignInParts,
  { flow, account, code, meta }: Confirmation,
  prepared: PreparedCodes,
): Promise<Flow | 'moved'> {
  const context = { ...meta, clientId: flow.clientId };
  const step = async () => {
    const options = { binding: flow.id, onlyFirst: true };
    if (!(await credentials.totp.confirm(account.id, code, options, context))) return 'moved' as const;
    await credentials.backupCodes.put(account.id, prepared, context);
    return { evidence: withMethod(flow.evidence, account.id, 'otp', epochSeconds(clock)), unseenCodes: true };
  };
  const { name } = triedIn(account, flow);
  const counts = { key: account.id, name: name === undefined ? undefined : { key: name } };
  return takeStep<'moved'>(flows, flow, clock.now(), step, () => throttle.reset(counts));
}

/** Confirms the app with a first code. Wrong ones end the challenge, but lock nobody out: there is nothing yet to guess. */
export async function confirmEnrolment(
  parts: SignInParts,
  flowId: string,
  code: string,
  meta: RequestMeta,
): Promise<EnrolmentResult> {
  const { flows, credentials, policy } = parts;
  const due = await findCodeTry(parts, flowId, 'enroll-totp');
  if ('reason' in due) return refuse(parts, flowId, due.reason);
  const { flow, account } = due;
  const tries = await takeCodeTry(parts, flowId, flow);
  if (typeof tries !== 'number') return tries;

  const verdict = await credentials.totp.check(account.id, code, { binding: flow.id });
  if (verdict === 'wrong') {
    const reason = 'enrolment:wrong_code';
    await recordFailure(parts, { type: 'second_factor.failed', flow, meta, accountId: account.id, reason });
    return refuse(parts, flowId, tries >= policy.codeTries ? 'too_many_codes' : 'wrong_code');
  }
  // No wrong guess: if nothing comes of it, it does not count.
  const giveBack = (): Promise<void> => flows.returnCodeTry(flow);
  if (verdict === 'expired') {
    await giveBack();
    return refuse(parts, flowId, 'expired');
  }
  try {
    const prepared = await credentials.backupCodes.prepare();
    const next = await enroll(parts, { flow, account, code, meta }, prepared);
    if (next !== 'moved') {
      const view = viewOf(parts, await situationOf(parts, next));
      return { outcome: 'accepted', view, backupCodes: prepared.codes };
    }
  } catch (error) {
    await giveBack();
    throw error;
  }
  await giveBack();
  return refuse(parts, flowId, 'wrong_step');
}
