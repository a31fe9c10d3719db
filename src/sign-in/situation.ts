import type { Account } from '../accounts/index.ts';
import type { Factors } from '../credentials/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { AccountFacts } from './account-facts.ts';
import { type Flow, isChallengeOver, isOver, type SignInPolicy, toMilliseconds } from './flow.ts';
import { newFlow } from './new-flow.ts';
import {
  type AccountFactors,
  countedEvidence,
  nextStep,
  type SecondFactor,
  type Step,
  waysThrough,
} from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { FlowView, NewSignIn, Refusal, RefusedStep } from './sign-in-types.ts';

/** A flow together with what is true of its account right now. */
export interface Situation {
  readonly flow: Flow;
  /** Whom the evidence is about, while they may sign in or have only to confirm their address. */
  readonly account?: Account;
  /** The evidence is about somebody who may not sign in any more. */
  readonly barred: boolean;
  readonly factors: AccountFactors;
  /** What opens the second door. */
  readonly ways: readonly SecondFactor[];
  /** The second door has shut: too late or too many codes. */
  readonly challengeOver: boolean;
  readonly step: Step;
}

/** What is true of an account at one moment. */
export interface Known {
  readonly factors: AccountFactors;
  readonly passwordDue: boolean;
}

const nothing: Known = { factors: { password: false, totp: false, backupCodes: 0 }, passwordDue: false };

/** Whoever may not sign in, or not yet, proves nothing; an address that waits to be confirmed is said after the password. */
export const mayComeIn = ({ status }: Pick<Account, 'status'>): boolean =>
  status === 'active' || status === 'unverified';

/** Puts together what was read of an account. */
export async function knownFrom(
  { passkeys, passwordPolicy, policy }: SignInParts,
  accountId: AccountId,
  factors: Factors,
  facts: AccountFacts,
): Promise<Known> {
  const isExpired = async () => policy.passwordsExpire === true && passwordPolicy.isExpired(accountId);
  const usable = passkeys.usable && facts.passkeys > 0;
  return {
    factors: { ...factors, ...(usable && { passkeys: facts.passkeys }) },
    passwordDue: factors.password && (facts.mustChangePassword || (await isExpired())),
  };
}

/** Reads what is true of an account, in one round trip. */
export async function knowOf(parts: SignInParts, accountId: AccountId): Promise<Known> {
  const { flows, credentials, facts } = parts;
  const [factors, others] = await flows.together(() =>
    Promise.all([credentials.factorsOf(accountId), facts.find(accountId)]),
  );
  return knownFrom(parts, accountId, factors, others);
}

/** Reads a flow's account and decides its step. */
export async function situationOf(parts: SignInParts, flow: Flow): Promise<Situation> {
  const found = flow.evidence && (await parts.accounts.find(flow.evidence.accountId));
  const account = found && mayComeIn(found) ? found : undefined;
  return decide(parts, flow, account, account && (await knowOf(parts, account.id)));
}

/** Decides the step of a flow with what is known of its account, while that may sign in. */
export function decide(
  { clock, policy }: SignInParts,
  flow: Flow,
  account: Account | undefined,
  { factors, passwordDue }: Known = nothing,
): Situation {
  const challengeOver = isChallengeOver(flow, policy, clock.now());
  const standing = {
    evidence: account && !challengeOver ? flow.evidence : undefined,
    factors,
    requirement: flow.requirement,
    enrolAfter: enrolAfter(policy, flow),
    unseenCodes: flow.unseenCodes,
    email: policy.email,
    unverified: account?.status === 'unverified',
    passwordDue,
    offerPasskey: flow.offerPasskey && (factors.passkeys ?? 0) === 0,
  };
  const step = nextStep(standing);
  return {
    flow,
    ...(account && { account }),
    barred: flow.evidence !== undefined && !account,
    factors,
    ways: waysThrough(standing),
    challengeOver,
    step,
  };
}

/** What was proven before this, by whom a flow found signed in, adds no factor and changes no password. Seconds. */
export const enrolAfter = ({ challengeSeconds }: SignInPolicy, { createdAt }: Flow): number =>
  Math.floor((createdAt - toMilliseconds(challengeSeconds)) / 1000);

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
  const { flow, account, factors, step, ways } = situation;
  const counted = account && countedEvidence(flow.evidence, flow.requirement);
  const challenged = step === 'second-factor' || step === 'enroll-totp';
  return {
    step,
    factors,
    ...(account && { account: { id: account.id, label: account.email } }),
    ...(counted && { proven: counted.methods.map(({ method }) => method) }),
    ...(step === 'second-factor' && { ways }),
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
