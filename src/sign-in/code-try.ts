import type { Account } from '../accounts/index.ts';
import type { Flow } from './flow.ts';
import type { SecondFactor, Step } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { Refusal, RefusedStep } from './sign-in-types.ts';
import { findSituation, refuse } from './situation.ts';

/** A code that may be looked at: the flow waits for one, and the account may sign in. */
export interface CodeTry {
  readonly flow: Flow;
  readonly account: Account;
}

/** Why a code must not be looked at, and in which flow. */
export interface NoCodeTry {
  readonly reason: Refusal;
  readonly flow?: Flow;
}

/** Whether the sign-in waits at `step` for a code. */
export async function findCodeTry(
  parts: SignInParts,
  flowId: string,
  step: Extract<Step, 'second-factor' | 'enroll-totp'>,
  way?: SecondFactor,
): Promise<CodeTry | NoCodeTry> {
  const situation = await findSituation(parts, flowId);
  if (!situation) return { reason: 'expired' };
  const { flow, account, barred } = situation;
  if (barred) return { reason: 'mismatch', flow };
  if (flow.wrongCodes >= parts.policy.codeTries) return { reason: 'too_many_codes', flow };
  if (situation.challengeOver) return { reason: 'expired', flow };
  const isWay = way === undefined || situation.ways.includes(way);
  return situation.step === step && isWay && account ? { flow, account } : { reason: 'wrong_step', flow };
}

/** Counts the code against the challenge before it is looked at: which try it is, or the refusal. */
export async function takeCodeTry(parts: SignInParts, flowId: string, flow: Flow): Promise<number | RefusedStep> {
  const { flows, policy, clock } = parts;
  const tries = await flows.takeCodeTry(flow, policy.codeTries, clock.now());
  return tries ?? refuse(parts, flowId, (await hasMoved(parts, flowId, flow)) ? 'wrong_step' : 'too_many_codes');
}

/** Whether the flow took a step since it was read. */
export async function hasMoved(parts: SignInParts, flowId: string, flow: Flow): Promise<boolean> {
  return (await findSituation(parts, flowId))?.flow.version !== flow.version;
}
