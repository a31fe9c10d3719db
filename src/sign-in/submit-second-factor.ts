import type { Account } from '../accounts/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { type CodeTry, findCodeTry, hasMoved, takeCodeTry } from './code-try.ts';
import { type Method, withMethod } from './evidence.ts';
import { recordFailure } from './failures.ts';
import type { Flow } from './flow.ts';
import { mailedCode } from './mail-code.ts';
import type { SecondFactor } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { RequestMeta, SubmitResult, TryingDevice } from './sign-in-types.ts';
import { refuse, situationOf, viewOf } from './situation.ts';
import { browserOf } from './submit-password.ts';
import { takeStep } from './take-step.ts';
import { delaysOf, triedIn } from './throttle.ts';
import type { Reservation } from './throttle-store.ts';

type Verdict = 'accepted' | 'wrong' | 'used';

/** A way to open the second door. */
interface Door {
  /** The account must have this way; the others say so themselves. */
  readonly way?: SecondFactor;
  readonly method: Extract<Method, 'otp' | 'backup_code' | 'email'>;
  /** Does what is slow, and resolves to what spends the code, for inside the transaction that takes the step. */
  examine(account: Account, flow: Flow): Promise<() => Promise<Verdict>>;
}

interface Attempt extends CodeTry {
  readonly flowId: string;
  readonly meta: RequestMeta;
  readonly reservation: Reservation;
}

async function pass({ flows, throttle, clock }: SignInParts, door: Door, { flow, account, reservation }: Attempt) {
  const spend = await door.examine(account, flow);
  const step = async () => {
    const verdict = await spend();
    if (verdict !== 'accepted') return verdict;
    const evidence = withMethod(flow.evidence, account.id, door.method, epochSeconds(clock));
    return { evidence, unseenCodes: flow.unseenCodes };
  };
  const forget = (): Promise<void> => throttle.reset(reservation);
  return takeStep<Exclude<Verdict, 'accepted'>>(flows, flow, clock.now(), step, forget);
}

async function tryDoor(parts: SignInParts, door: Door, attempt: Attempt): Promise<SubmitResult> {
  const { flows, throttle, policy } = parts;
  const { flowId, flow, account, meta, reservation } = attempt;
  const giveBack = (): Promise<unknown> => Promise.all([throttle.giveBack(reservation), flows.returnCodeTry(flow)]);

  const tries = await takeCodeTry(parts, flowId, flow);
  if (typeof tries !== 'number') {
    await throttle.giveBack(reservation);
    return tries;
  }
  const result = await pass(parts, door, attempt).catch(async (error: unknown) => {
    await giveBack();
    throw error;
  });
  if (typeof result === 'object') {
    return { outcome: 'accepted', view: viewOf(parts, await situationOf(parts, result)) };
  }
  // A code that was used by this very flow is the same form sent twice.
  if (result === 'moved' || (result === 'used' && (await hasMoved(parts, flowId, flow)))) {
    await giveBack();
    return refuse(parts, flowId, 'wrong_step');
  }
  const reason = result === 'used' ? 'used_code' : 'wrong_code';
  await recordFailure(parts, {
    type: 'second_factor.failed',
    flow,
    meta,
    accountId: account.id,
    reason: `${door.method}:${reason}`,
    reservation,
  });
  return refuse(parts, flowId, tries >= policy.codeTries ? 'too_many_codes' : reason, {
    retryAt: reservation.retryAt,
  });
}

/** From where a code comes. */
export interface CodeFrom {
  readonly meta: RequestMeta;
  readonly device?: TryingDevice | undefined;
}

async function submit(
  parts: SignInParts,
  flowId: string,
  { meta, device }: CodeFrom,
  door: Door,
): Promise<SubmitResult> {
  const { throttle, clock, policy } = parts;
  const due = await findCodeTry(parts, flowId, 'second-factor', door.way);
  if ('reason' in due) {
    const { reason, flow } = due;
    if (reason === 'mismatch' && flow) {
      const accountId = flow.evidence?.accountId;
      await recordFailure(parts, { type: 'second_factor.failed', flow, meta, accountId, reason: 'account_barred' });
    }
    return refuse(parts, flowId, reason);
  }
  const { flow, account } = due;
  const tried = triedIn(account, flow);
  const reservation = await throttle.reserve(tried, delaysOf(policy), clock.now(), browserOf(account, device));
  if (reservation.granted) return tryDoor(parts, door, { flowId, flow, account, meta, reservation });
  await recordFailure(parts, { type: 'second_factor.failed', flow, meta, accountId: account.id, reason: 'paused' });
  return refuse(parts, flowId, 'paused', { retryAt: reservation.retryAt });
}

/** The second door, with a code of the authenticator app. Each is accepted once, whichever flow it comes through. */
export const submitTotp = (parts: SignInParts, flowId: string, code: string, from: CodeFrom): Promise<SubmitResult> =>
  submit(parts, flowId, from, {
    method: 'otp',
    examine: async (account) => () => parts.credentials.totp.verify(account.id, code),
  });

/** The second door, with a backup code. */
export const submitBackupCode = (
  parts: SignInParts,
  flowId: string,
  code: string,
  from: CodeFrom,
): Promise<SubmitResult> =>
  submit(parts, flowId, from, {
    method: 'backup_code',
    async examine(account, flow) {
      const { backupCodes } = parts.credentials;
      const hash = await backupCodes.match(account.id, code);
      if (hash === undefined) return async () => 'wrong';
      return async () =>
        (await backupCodes.spend(account.id, hash, { ...from.meta, clientId: flow.clientId })) ? 'accepted' : 'used';
    },
  });

/** The second door, with a code that was mailed. It is spent before the step is taken, since its tries are counted. */
export const submitEmailCode = (
  parts: SignInParts,
  flowId: string,
  code: string,
  from: CodeFrom,
): Promise<SubmitResult> =>
  submit(parts, flowId, from, {
    way: 'email',
    method: 'email',
    async examine(account, flow) {
      const outcome = await parts.codes.use({ ...mailedCode('second-step', flow, account.id, account), code });
      const verdict = outcome === 'too_many' || outcome === 'expired' ? 'used' : outcome;
      return async () => verdict;
    },
  });
