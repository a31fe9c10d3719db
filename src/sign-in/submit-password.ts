import type { Account } from '../accounts/index.ts';
import type { Factors } from '../credentials/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { withMethod } from './evidence.ts';
import { recordFailure } from './failures.ts';
import { finishedBy, recordSuccess } from './finish.ts';
import { type Flow, isOver, toMilliseconds, unstored } from './flow.ts';
import { newFlow } from './new-flow.ts';
import type { SignInParts } from './parts.ts';
import type { NewSignIn, PasswordInput, RequestMeta, SubmitResult } from './sign-in-types.ts';
import { decide, refuse, situationOf, viewOf } from './situation.ts';
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

/** A right password and what was known before it was looked at. */
interface Passed {
  readonly flow: Flow;
  readonly account: Account;
  readonly factors: Factors;
  readonly login: string;
  readonly reservation: Reservation;
  readonly finish: boolean;
  readonly meta: RequestMeta;
}

/** The step as a change of the flow, and where that leads. */
function stepOf(parts: SignInParts, { flow, account, factors, login, finish }: Passed) {
  const { clock, policy } = parts;
  const change = {
    evidence: withMethod(flow.evidence, account.id, 'pwd', epochSeconds(clock)),
    loginHint: login,
    challengeEndsAt: clock.now() + toMilliseconds(policy.challengeSeconds),
    unseenCodes: flow.unseenCodes && flow.evidence?.accountId === account.id,
  };
  const next: Flow = { ...flow, ...change, wrongCodes: 0, version: flow.version + 1 };
  const situation = decide(parts, next, account, factors);
  const done = situation.step === 'done';
  return {
    change,
    next,
    done,
    finished: done && finish ? finishedBy(next) : undefined,
    view: viewOf(parts, situation),
  };
}

type Taken = ReturnType<typeof stepOf>;

/** Else a known password would buy a fresh set of tries at the second door each time. */
const settle = ({ throttle }: SignInParts, { account, reservation }: Passed, { done }: Taken): Promise<void> =>
  done ? throttle.reset(account.id) : throttle.giveBack(reservation);

/** The first step of a flow: it is stored as the step leaves it, in one round trip with all that goes with it. */
async function storeFirst(parts: SignInParts, passed: Passed, taken: Taken): Promise<boolean> {
  const { flows, clock } = parts;
  const { next, finished } = taken;
  const flow = finished ? { ...next, finishedAt: clock.now() } : next;
  const [added, ...others] = await flows.together(() =>
    Promise.allSettled([
      flows.add(flow),
      settle(parts, passed, taken),
      finished && recordSuccess(parts, finished, flow, passed.meta),
    ]),
  );
  if (added.status === 'fulfilled' && !added.value) return false;
  for (const result of [added, ...others]) if (result.status === 'rejected') throw result.reason;
  return true;
}

/** A later step: nothing is written when the flow took another one meanwhile. */
const advance = (parts: SignInParts, passed: Passed, taken: Taken): Promise<boolean> => {
  const { flows, clock } = parts;
  return flows.transaction(async () => {
    const next = await flows.advance(passed.flow, taken.change, clock.now());
    if (!next) return false;
    await settle(parts, passed, taken);
    if (!taken.finished) return true;
    if (!(await flows.finish(next, clock.now()))) throw new Error('A sign-in was ended under a lock of its own.');
    await recordSuccess(parts, taken.finished, next, passed.meta);
    return true;
  });
};

/** Takes the step. A full proof clears the count of failures; half of one only takes this try off it. */
async function accept(parts: SignInParts, passed: Passed): Promise<SubmitResult | undefined> {
  const taken = stepOf(parts, passed);
  const isFirst = passed.flow.version === unstored;
  if (await (isFirst ? storeFirst(parts, passed, taken) : advance(parts, passed, taken))) {
    return { outcome: 'accepted', view: taken.view, ...(taken.finished && { finished: taken.finished }) };
  }
  await parts.throttle.giveBack(passed.reservation);
  return undefined;
}

/** The flow and whose name this is, unless the flow waits for something else. */
async function findTry(parts: SignInParts, flowId: string, login: string, start: NewSignIn | undefined) {
  const { flows, accounts, clock } = parts;
  const [stored, account] = await flows.together(() =>
    Promise.all([flows.find(sha256(flowId)), login.length > maxLogin ? undefined : accounts.findByLogin(login)]),
  );
  const flow = stored ?? (start && newFlow(parts, flowId, start));
  if (!flow || isOver(flow, clock.now()) || (await situationOf(parts, flow)).step !== 'password') return undefined;
  return { flow, account };
}

/**
 * The first door. The try is counted before the password is looked at and taken back when it was right; a wrong password,
 * a name that nobody has and an account that may not sign in go the same way and get the same answer.
 */
export async function submitPassword(
  parts: SignInParts,
  flowId: string,
  { password, start, finish = false, ...input }: PasswordInput,
  meta: RequestMeta,
): Promise<SubmitResult> {
  const { flows, credentials, throttle, clock, policy } = parts;
  const login = input.login.trim();
  const found = await findTry(parts, flowId, login, start);
  if (!found) return refuse(parts, flowId, 'wrong_step', { start });
  const { flow, account } = found;
  const reason = obstacle(account, flow);
  const failure = { type: 'sign_in.failed', flow, meta, accountId: account?.id } as const;

  const key = throttleKey(account, login);
  const [reservation, onFile] = await flows.together(() =>
    Promise.all([
      throttle.tryReserve(key, delaysOf(policy), clock.now()),
      credentials.lookUp(reason === undefined ? account?.id : undefined),
    ]),
  );
  if (!reservation) {
    const retryAt = await throttle.pausedUntil(key, clock.now());
    await recordFailure(parts, { ...failure, reason: 'paused' });
    return refuse(parts, flowId, 'paused', { retryAt, start });
  }
  let matches: boolean;
  try {
    matches = await onFile.verifyPassword(password);
  } catch (error) {
    await throttle.giveBack(reservation);
    throw error;
  }
  if (!matches || !account || reason !== undefined) {
    await recordFailure(parts, { ...failure, reason: reason ?? 'wrong_password', reservation });
    return refuse(parts, flowId, 'mismatch', { retryAt: reservation.retryAt, start });
  }
  const passed = { flow, account, factors: onFile.factors, login, reservation, finish, meta };
  return (await accept(parts, passed)) ?? refuse(parts, flowId, 'wrong_step', { start });
}
