import type { Account } from '../accounts/index.ts';
import type { Factors } from '../credentials/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import { type Flow, isChallengeOver, isOver, toMilliseconds } from './flow.ts';
import { newFlow } from './new-flow.ts';
import { nextStep, type Step } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { FlowView, NewSignIn, Refusal, RefusedStep } from './sign-in-types.ts';

/** A flow together with what is true of its account right now. */
export interface Situation {
  readonly flow: Flow;
  /** Whom the evidence is about, while they may sign in. */
  readonly account?: Account;
  /** The evidence is about somebody who may not sign in any more. */
  readonly barred: boolean;
  readonly factors: Factors;
  /** The second door has shut: too late or too many codes. */
  readonly challengeOver: boolean;
  readonly step: Step;
}

const noFactors: Factors = { password: false, totp: false, backupCodes: 0 };

/** Reads a flow's account and decides its step. */
export async function situationOf(parts: SignInParts, flow: Flow): Promise<Situation> {
  const found = flow.evidence && (await parts.accounts.find(flow.evidence.accountId));
  const account = found?.status === 'active' ? found : undefined;
  return decide(parts, flow, account, account && (await parts.credentials.factorsOf(account.id)));
}

/** Decides the step of a flow whose account, while it may sign in, has these factors. */
export function decide(
  { clock, policy }: SignInParts,
  flow: Flow,
  account: Account | undefined,
  factors: Factors = noFactors,
): Situation {
  const challengeOver = isChallengeOver(flow, policy, clock.now());
  const step = nextStep({
    evidence: account && !challengeOver ? flow.evidence : undefined,
    factors,
    requirement: flow.requirement,
    enrolAfter: Math.floor((flow.createdAt - toMilliseconds(policy.challengeSeconds)) / 1000),
    unseenCodes: flow.unseenCodes,
  });
  return {
    flow,
    ...(account && { account }),
    barred: flow.evidence !== undefined && !account,
    factors,
    challengeOver,
    step,
  };
}

/** The situation of a sign-in, undefined when it is unknown or over. With `start` it may have nothing stored yet. */
export async function findSituation(
  parts: SignInParts,
  flowId: string,
  start?: NewSignIn,
): Promise<Situation | undefined> {
  const flow = (await parts.flows.find(sha256(flowId))) ?? (start && newFlow(parts, flowId, start));
  return flow && !isOver(flow, parts.clock.now()) ? situationOf(parts, flow) : undefined;
}

export const expired = (): AppError =>
  new AppError('expired', 'This sign-in has expired. Nothing is lost: start again from the app.');

/** As {@link findSituation}. @throws AppError `expired` */
export async function getSituation(parts: SignInParts, flowId: string): Promise<Situation> {
  const situation = await findSituation(parts, flowId);
  if (!situation) throw expired();
  return situation;
}

/** What the pages may know of it. */
export function viewOf({ policy }: SignInParts, situation: Situation): FlowView {
  const { flow, account, factors, step } = situation;
  const challenged = step === 'second-factor' || step === 'enroll-totp';
  return {
    step,
    factors,
    ...(account && { account: { id: account.id, label: account.email } }),
    ...(flow.loginHint !== undefined && { loginHint: flow.loginHint }),
    ...(challenged && { attemptsLeft: Math.max(0, policy.codeTries - flow.wrongCodes) }),
    ...(challenged && flow.challengeEndsAt !== undefined && { challengeExpiresAt: flow.challengeEndsAt }),
  };
}

/** Refuses a step, with a fresh look at where the sign-in stands. */
export async function refuse(
  parts: SignInParts,
  flowId: string,
  reason: Refusal,
  { retryAt, start }: { readonly retryAt?: number | undefined; readonly start?: NewSignIn | undefined } = {},
): Promise<RefusedStep> {
  const situation = await findSituation(parts, flowId, start);
  return {
    outcome: 'refused',
    reason: situation ? reason : 'expired',
    ...(retryAt !== undefined && retryAt > parts.clock.now() && { retryAt }),
    ...(situation && { view: viewOf(parts, situation) }),
  };
}
