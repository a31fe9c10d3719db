import { type Account, parseEmail } from '../accounts/index.ts';
import { occasionOf } from '../registration/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';
import { type AccountId, asAccountId, randomText } from '../shared/ids.ts';
import { recordFailure } from './failures.ts';
import { openFirstDoor } from './first-door.ts';
import type { Flow } from './flow.ts';
import { mailedCode, mailSeconds } from './mail-code.ts';
import type { SignInParts } from './parts.ts';
import { provenAt } from './proven-at.ts';
import type { DoorInput, MailResult, NewSignIn, Refusal, RequestMeta, SubmitResult } from './sign-in-types.ts';
import { findSituation, knowOf, refuse, viewOf } from './situation.ts';
import { obstacle } from './submit-password.ts';

/** Who wants a mail to sign in with. */
export interface MailSignIn {
  readonly login: string;
  readonly start?: NewSignIn;
  /** The path that a link leads to: a page of the same sign-in. */
  readonly pathOf: (token: string) => string;
}

const nameOf = (login: string): string => sha256(parseEmail(login)?.key ?? login.normalize('NFKC').toLowerCase());

/** Stands for a name that nobody has, so that the caps count it as they count an account. */
const nobodyOf = (login: string): AccountId => asAccountId(`none_${nameOf(login)}`);

const isLimited = (error: unknown): error is AppError => error instanceof AppError && error.code === 'rate_limited';

/**
 * Counts the wish, and says whom it is for: nobody as well when the account has had its mails under another of its names.
 * What was asked for under a name is all that whoever types it is told. @throws AppError `rate_limited`
 */
async function addressee(
  { codes, logger }: SignInParts,
  login: string,
  account: Account | undefined,
): Promise<Account | undefined> {
  const purpose = 'sign-in';
  await codes.count({ purpose, accountId: asAccountId(`name_${nameOf(login)}`) });
  try {
    await codes.count({ purpose, accountId: account?.id ?? nobodyOf(login) });
    return account;
  } catch (error) {
    if (!isLimited(error)) throw error;
    logger.info({ accountId: account?.id }, 'No mail to sign in with was sent: its account has had too many.');
    return undefined;
  }
}

async function send(
  { codes, links, notifications, clock, policy }: SignInParts,
  flow: Flow,
  account: Account | undefined,
  to: AccountId,
  pathOf: MailSignIn['pathOf'],
  meta: RequestMeta,
): Promise<void> {
  // A mailbox that does not exist, for the same work.
  const email = account?.email ?? randomText(20);
  const mail = { to: email, account: account?.id };
  const occasion = occasionOf(clock, meta, account);
  // The code is made where links are mailed too: its caps hold for both.
  const { code, expiresAt } = await codes.create({
    ...mailedCode('sign-in', flow, to, account),
    lifeSeconds: mailSeconds,
    counted: true,
  });
  if (policy.email?.signIn === 'code') {
    await notifications.send({ ...mail, template: 'sign-in-code', expiresAt, data: { ...occasion, code, expiresAt } });
    return;
  }
  const data = { flow: flow.id };
  const link = await links.create({ purpose: 'sign-in', accountId: to, email, data, lifeSeconds: mailSeconds });
  const path = pathOf(link.token);
  await notifications.send({ ...mail, template: 'sign-in-link', expiresAt, data: { ...occasion, path, expiresAt } });
}

/**
 * Mails a code or link that opens the first door of this sign-in. The answer and its time are the same for any name. Only
 * who may sign in gets one. @throws AppError `expired`; `forbidden` where the installation does not want it
 */
export async function mailSignIn(
  parts: SignInParts,
  flowId: string,
  { login: typed, start, pathOf }: MailSignIn,
  meta: RequestMeta,
): Promise<MailResult> {
  const { flows, accounts, answerTime, clock, policy } = parts;
  const login = typed.trim().slice(0, 320);
  if (!policy.email || policy.email.signIn === 'off') {
    throw new AppError('forbidden', 'Nobody signs in by mail here. Use your password or a passkey.');
  }
  const situation = await findSituation(parts, flowId, start);
  if (!situation) return { outcome: 'refused' };
  const view = viewOf(parts, situation);
  if (situation.step !== 'password') return { outcome: 'refused', view };
  return answerTime(async (): Promise<MailResult> => {
    const flow = await flows.open(situation.flow);
    const found = await accounts.findByLogin(login);
    const welcome = found?.status === 'active' && obstacle(found, flow) === undefined ? found : undefined;
    const now = clock.now();
    try {
      await flows.transaction(async () => {
        const account = await addressee(parts, login, welcome);
        const to = account?.id ?? nobodyOf(login);
        await flows.noteMail(flow.id, { now, to });
        await send(parts, flow, account, to, pathOf, meta);
      });
    } catch (error) {
      if (!isLimited(error)) throw error;
      return { outcome: 'limited', view, retryAt: now + (error.details.retryAfter ?? 60) * 1000 };
    }
    return { outcome: 'sent', view };
  });
}

/** Whose mailbox this opened, or why it did not. */
type Opening =
  | { readonly accountId: AccountId; readonly asOf: number }
  | { readonly reason: Extract<Refusal, 'wrong_code' | 'used_code'> };

async function open(
  parts: SignInParts,
  flowId: string,
  input: DoorInput,
  meta: RequestMeta,
  look: (flow: Flow) => Promise<Opening>,
): Promise<SubmitResult> {
  const { accounts, policy } = parts;
  const situation = await findSituation(parts, flowId);
  if (situation?.step !== 'password' || !policy.email) return refuse(parts, flowId, 'wrong_step');
  const { flow } = situation;
  const opening = await look(flow);
  const account = 'accountId' in opening ? await accounts.find(opening.accountId) : undefined;
  const barred = account?.status === 'active' ? obstacle(account, flow) : 'barred';
  if ('reason' in opening || !account || barred !== undefined) {
    const reason = 'reason' in opening ? opening.reason : 'used_code';
    await recordFailure(parts, {
      type: 'sign_in.failed',
      flow,
      meta,
      accountId: account?.id,
      reason: `email:${reason}`,
    });
    return refuse(parts, flowId, reason);
  }
  const { result, denied } = await openFirstDoor(parts, {
    flow,
    account,
    known: await knowOf(parts, account.id),
    proof: { method: 'email', at: await provenAt(parts, account.id) },
    asOf: opening.asOf,
    offerPasskey: flow.offerPasskey,
    input,
    meta,
  });
  return result ?? refuse(parts, flowId, denied ? 'mismatch' : 'wrong_step');
}

/** The first door, with a code that was mailed for this sign-in. */
export const submitMailedCode = (
  parts: SignInParts,
  flowId: string,
  code: string,
  input: DoorInput,
  meta: RequestMeta,
): Promise<SubmitResult> =>
  open(parts, flowId, input, meta, async (flow) => {
    const { accounts, codes, revocations, policy } = parts;
    const { mailAccount: to } = flow;
    if (to === undefined || policy.email?.signIn !== 'code') return { reason: 'used_code' };
    const asOf = await revocations.endOf(to);
    const outcome = await codes.use({ ...mailedCode('sign-in', flow, to, await accounts.find(to)), code });
    if (outcome === 'accepted') return { accountId: to, asOf };
    return { reason: outcome === 'wrong' ? 'wrong_code' : 'used_code' };
  });

/** The first door, with a mailed link, in the browser that asked for it: another one's sign-in it does not open. */
export const submitMailedLink = (
  parts: SignInParts,
  flowId: string,
  token: string,
  input: DoorInput,
  meta: RequestMeta,
): Promise<SubmitResult> =>
  open(parts, flowId, input, meta, async (flow) => {
    const { accounts, links, revocations, policy } = parts;
    const asked = await links.peek('sign-in', token);
    if (policy.email?.signIn !== 'link' || asked?.data.flow !== flow.id) return { reason: 'used_code' };
    const asOf = await revocations.endOf(asked.accountId ?? '');
    const link = await links.use('sign-in', token);
    const account = link?.accountId && (await accounts.find(link.accountId));
    // The mailbox that it went to has to be the account's still.
    return account && account.email === link.email ? { accountId: account.id, asOf } : { reason: 'used_code' };
  });
