import type { Account } from '../accounts/index.ts';
import { hashDevice } from '../devices/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { type AccountFacts, mayBeOffered } from './account-facts.ts';
import { recordFailure } from './failures.ts';
import { openFirstDoor } from './first-door.ts';
import { type Flow, isOver } from './flow.ts';
import { newFlow } from './new-flow.ts';
import type { SignInParts } from './parts.ts';
import { provenAt } from './proven-at.ts';
import type { NewSignIn, PasswordInput, RequestMeta, SubmitResult, TryingDevice } from './sign-in-types.ts';
import { knownFrom, mayComeIn, refuse, situationOf } from './situation.ts';
import { delaysOf, toldOf, triedBy } from './throttle.ts';
import type { Reservation, Tried, TryingBrowser, Unseen } from './throttle-store.ts';

const maxLogin = 320;

/** The reason for the audit log why this account cannot come in through this flow, whatever it shows. */
export function obstacle(account: Account | undefined, flow: Flow): string | undefined {
  if (!account) return 'unknown_login';
  if (!mayComeIn(account)) return account.status;
  const { accountId } = flow.requirement;
  return accountId !== undefined && accountId !== account.id ? 'other_account' : undefined;
}

/** The browser as failures are counted: for names and browsers that nobody has it is looked up as well. */
export const browserOf = (
  account: Pick<Account, 'id'> | undefined,
  device: TryingDevice | undefined,
): TryingBrowser => ({
  accountId: account?.id ?? '',
  deviceHash: hashDevice(device?.id ?? ''),
});

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

/** Counts the try and reads all that the sign-in needs to know of the account, in one round trip. */
function reserve(
  parts: SignInParts,
  tried: Tried,
  browser: TryingBrowser,
  welcome: Account | undefined,
  { ip }: RequestMeta,
) {
  const { flows, throttle, credentials, facts, revocations, risk, clock, policy } = parts;
  return flows.together(() =>
    Promise.all([
      // Before the password's hash is read: a new one comes with a new end, so never an old hash with that.
      revocations.endOf(welcome?.id ?? ''),
      throttle.tryReserve(tried, delaysOf(policy), clock.now(), browser),
      credentials.lookUp(welcome?.id),
      facts.find(welcome?.id),
      risk?.lookAhead(ip),
    ]),
  );
}

/** Nobody is asked to leave a passkey in a browser that the account has not used before. */
const isOffered = (
  { passkeys, policy, clock }: SignInParts,
  facts: AccountFacts,
  { known }: Reservation,
  { offersPasskey }: Pick<PasswordInput, 'offersPasskey'>,
): boolean =>
  offersPasskey === true && known && passkeys.usable && mayBeOffered(facts, policy.passkeyOfferDays, clock.now());

/** What fails for a reason of the server's is no failure of whoever tries. */
async function orGiveBack<T>(
  { throttle }: SignInParts,
  taken: Reservation | Unseen,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await throttle.giveBack(taken).catch(() => undefined);
    throw error;
  }
}

async function tryPassword(
  parts: SignInParts,
  flowId: string,
  { password, start, login: typed, ...input }: PasswordInput,
  meta: RequestMeta,
): Promise<SubmitResult> {
  const { throttle, clock } = parts;
  const login = typed.trim();
  const found = await findTry(parts, flowId, login, start);
  if (!found) return refuse(parts, flowId, 'wrong_step', { start });
  const { flow, account } = found;
  const reason = obstacle(account, flow);
  const failure = { type: 'sign_in.failed', flow, meta, accountId: account?.id } as const;

  const tried = triedBy(account, login);
  const welcome = reason === undefined ? account : undefined;
  const browser = browserOf(account, input.device);
  const [asOf, reservation, onFile, facts] = await reserve(parts, tried, browser, welcome, meta);
  if (!reservation) {
    const retryAt = await throttle.pausedUntil(tried, clock.now(), browser);
    await recordFailure(parts, { ...failure, reason: 'paused' });
    return refuse(parts, flowId, 'paused', { retryAt, start });
  }
  if (!reservation.granted) {
    await orGiveBack(parts, reservation, () => onFile.refusePassword(password));
    await recordFailure(parts, { ...failure, reason: 'paused' });
    return refuse(parts, flowId, 'mismatch', { retryAt: reservation.retryAt, start });
  }
  const matches = await orGiveBack(parts, reservation, () => onFile.verifyPassword(password));
  if (!matches || !account || reason !== undefined) {
    await recordFailure(parts, { ...failure, reason: reason ?? 'wrong_password', reservation });
    return refuse(parts, flowId, 'mismatch', { retryAt: toldOf(reservation), start });
  }
  const open = async () =>
    openFirstDoor(parts, {
      flow,
      account,
      known: await knownFrom(parts, account.id, onFile.factors, facts),
      proof: { method: 'pwd', at: await provenAt(parts, account.id) },
      asOf,
      loginHint: login,
      reservation,
      offerPasskey: isOffered(parts, facts, reservation, input),
      input,
      meta,
    });
  const { result, remembered, denied } = await orGiveBack(parts, reservation, open);
  if (denied) return refuse(parts, flowId, 'mismatch', { retryAt: toldOf(reservation), start });
  return result ?? { ...(await refuse(parts, flowId, 'wrong_step', { start })), ...(remembered && { remembered }) };
}

/**
 * The first door. The try is counted before the password is looked at and taken back when it was right; a wrong password,
 * a name that nobody has and an account that may not sign in go the same way and get the same answer.
 */
export async function submitPassword(
  parts: SignInParts,
  flowId: string,
  input: PasswordInput,
  meta: RequestMeta,
): Promise<SubmitResult> {
  // A right password that is refused is more work than a wrong one: it is looked at, noted and told.
  const pause = parts.risk?.refusesSignIns && parts.answerTime(async () => undefined);
  const result = await tryPassword(parts, flowId, input, meta);
  if (result.outcome === 'refused') await pause;
  return result;
}
