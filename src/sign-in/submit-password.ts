import type { Account } from '../accounts/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { withMethod } from './evidence.ts';
import { recordFailure } from './failures.ts';
import { type Flow, toMilliseconds } from './flow.ts';
import type { SignInParts } from './parts.ts';
import type { RequestMeta, SubmitResult } from './sign-in-types.ts';
import { findSituation, refuse, situationOf, viewOf } from './situation.ts';
import { delaysOf, throttleKey } from './throttle.ts';
import type { Reservation } from './throttle-store.ts';

const maxLogin = 320;

/** The reason for the audit log why this account cannot come in through this flow, whatever the password. */
function obstacle(account: Account | undefined, flow: Flow): string | undefined {
  if (!account) return 'unknown_login';
  if (account.status !== 'active') return account.status;
  const { accountId } = flow.requirement;
  return accountId !== undefined && accountId !== account.id ? 'other_account' : undefined;
}

/** Takes the step. A full proof clears the count of failures; half of one only takes this try off it. */
async function accept(
  parts: SignInParts,
  flow: Flow,
  account: Account,
  login: string,
  reservation: Reservation,
): Promise<SubmitResult | undefined> {
  const { flows, throttle, clock, policy } = parts;
  return flows.transaction(async () => {
    const next = await flows.advance(
      flow,
      {
        evidence: withMethod(flow.evidence, account.id, 'pwd', epochSeconds(clock)),
        loginHint: login,
        challengeEndsAt: clock.now() + toMilliseconds(policy.challengeSeconds),
        unseenCodes: flow.unseenCodes && flow.evidence?.accountId === account.id,
      },
      clock.now(),
    );
    if (!next) {
      await throttle.giveBack(reservation);
      return undefined;
    }
    const situation = await situationOf(parts, next);
    // Else a known password would buy a fresh set of tries at the second door each time.
    await (situation.step === 'done' ? throttle.reset(account.id) : throttle.giveBack(reservation));
    return { outcome: 'accepted', view: viewOf(parts, situation) };
  });
}

/**
 * The first door. The try is counted before the password is looked at and taken back when it was right; a wrong password,
 * a name that nobody has and an account that may not sign in go the same way and get the same answer.
 */
export async function submitPassword(
  parts: SignInParts,
  flowId: string,
  input: { readonly login: string; readonly password: string },
  meta: RequestMeta,
): Promise<SubmitResult> {
  const { accounts, credentials, throttle, clock, policy } = parts;
  const situation = await findSituation(parts, flowId);
  if (situation?.step !== 'password') return refuse(parts, flowId, 'wrong_step');
  const { flow } = situation;

  const login = input.login.trim();
  const account = login.length > maxLogin ? undefined : await accounts.findByLogin(login);
  const reason = obstacle(account, flow);
  const failure = { type: 'sign_in.failed', flow, meta, accountId: account?.id } as const;

  const reservation = await throttle.reserve(throttleKey(account, login), delaysOf(policy), clock.now());
  if (!reservation.granted) {
    await recordFailure(parts, { ...failure, reason: 'paused' });
    return refuse(parts, flowId, 'paused', reservation.retryAt);
  }
  let matches: boolean;
  try {
    matches = await credentials.verifyPassword(reason === undefined ? account?.id : undefined, input.password);
  } catch (error) {
    await throttle.giveBack(reservation);
    throw error;
  }
  if (!matches || !account || reason !== undefined) {
    await recordFailure(parts, { ...failure, reason: reason ?? 'wrong_password', reservation });
    return refuse(parts, flowId, 'mismatch', reservation.retryAt);
  }
  return (await accept(parts, flow, account, login, reservation)) ?? refuse(parts, flowId, 'wrong_step');
}
