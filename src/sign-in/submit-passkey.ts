import type { Account } from '../accounts/index.ts';
import type { RequestOptions, UsedPasskey } from '../passkeys/index.ts';
import { AppError } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import { type Proof, withProof } from './evidence.ts';
import { recordFailure } from './failures.ts';
import { openFirstDoor } from './first-door.ts';
import type { Flow } from './flow.ts';
import type { SignInParts } from './parts.ts';
import { provenAt } from './proven-at.ts';
import type { DoorInput, NewSignIn, RequestMeta, SubmitResult } from './sign-in-types.ts';
import { expired, findSituation, knowOf, refuse, type Situation, situationOf, viewOf } from './situation.ts';
import { obstacle } from './submit-password.ts';
import { takeStep } from './take-step.ts';

/** A posted passkey. */
export interface PasskeyInput extends DoorInput {
  /** What the browser gave, as JSON text or parsed. */
  readonly response: unknown;
}

/** Whether a passkey may be shown here, and at which door. */
const doorOf = ({ step, ways }: Situation): 'first' | 'second' | undefined => {
  if (step === 'password') return 'first';
  return step === 'second-factor' && ways.includes('passkey') ? 'second' : undefined;
};

/**
 * What the browser asks its authenticators with. The first door names nobody, so that it says nothing about anybody; the
 * second door takes only the account's own. @throws AppError `expired`, `conflict` when no passkey is waited for
 */
export async function beginPasskey(
  parts: SignInParts,
  flowId: string,
  start: NewSignIn | undefined,
): Promise<RequestOptions> {
  const situation = await findSituation(parts, flowId, start);
  if (!situation) throw expired();
  const door = parts.passkeys.usable ? doorOf(situation) : undefined;
  if (!door) throw new AppError('conflict', 'A passkey is not the next step. Go back to the sign-in.');
  const { flow, account } = situation;
  return parts.passkeys.beginAuthentication(flow.id, door === 'second' ? account?.id : undefined);
}

interface Shown {
  readonly flow: Flow;
  readonly account: Account;
  readonly proof: Proof;
  readonly asOf: number;
  readonly input: PasskeyInput;
  readonly meta: RequestMeta;
}

/** A passkey says who it is, and opens both doors when its authenticator knew the person. */
async function openFirst(parts: SignInParts, { flow, account, proof, asOf, input, meta }: Shown) {
  const { result, denied } = await openFirstDoor(parts, {
    flow,
    account,
    known: await knowOf(parts, account.id),
    proof,
    asOf,
    loginHint: account.username ?? account.email,
    offerPasskey: flow.offerPasskey,
    input,
    meta,
  });
  return denied ? ('denied' as const) : result;
}

async function openSecond(parts: SignInParts, { flow, account, proof }: Shown): Promise<SubmitResult | undefined> {
  const { flows, clock } = parts;
  const next = await takeStep<'moved'>(flows, flow, clock.now(), async () => ({
    evidence: withProof(flow.evidence, account.id, proof),
    unseenCodes: flow.unseenCodes,
  }));
  if (next === 'moved') return undefined;
  return { outcome: 'accepted', view: viewOf(parts, await situationOf(parts, next)) };
}

const proofOf = ({ userVerified, synced }: UsedPasskey, at: number): Proof => ({
  method: 'passkey',
  at,
  userVerified,
  synced,
});

/** Whose passkey it was, or why nobody comes in with it; for the audit log. */
async function look(
  { passkeys, accounts, revocations }: SignInParts,
  { flow, account: expected }: Situation,
  door: 'first' | 'second',
  response: unknown,
  meta: RequestMeta,
): Promise<
  | { readonly used: UsedPasskey; readonly account: Account; readonly asOf: number }
  | { readonly reason: string; readonly id?: AccountId }
> {
  const context = { ...meta, clientId: flow.clientId };
  // Not inside a transaction: an answer that is refused has used its challenge up all the same.
  const used = passkeys.usable ? await passkeys.finishAuthentication(flow.id, response, context) : undefined;
  // Only now it is known whose end to ask for, so after that it has to be there still: an end may have taken it along.
  const asOf = used ? await revocations.endOf(used.accountId) : 0;
  const isThere = used && (await passkeys.list(used.accountId)).some(({ id }) => id === used.passkeyId);
  const account = isThere && (await accounts.find(used.accountId));
  if (!account) return { reason: 'wrong_passkey', ...(door === 'second' && expected && { id: expected.id }) };
  const other = door === 'second' && account.id !== expected?.id ? 'other_account' : undefined;
  const reason = obstacle(account, flow) ?? other;
  return reason === undefined ? { used, account, asOf } : { reason, id: account.id };
}

/**
 * A passkey at whichever door is next. It cannot be guessed, so no tries are counted; a challenge is good for one answer.
 * A passkey that is unknown or wrong, and one whose account may not sign in here, get the same answer.
 */
export async function submitPasskey(
  parts: SignInParts,
  flowId: string,
  input: PasskeyInput,
  meta: RequestMeta,
): Promise<SubmitResult> {
  const { start } = input;
  const situation = await findSituation(parts, flowId, start);
  const door = situation && doorOf(situation);
  if (!situation || !door) return refuse(parts, flowId, 'wrong_step', { start });
  const { flow } = situation;
  const found = await look(parts, situation, door, input.response, meta);
  if ('reason' in found) {
    const type = door === 'first' ? 'sign_in.failed' : 'second_factor.failed';
    await recordFailure(parts, { type, flow, meta, accountId: found.id, reason: `passkey:${found.reason}` });
    return refuse(parts, flowId, 'mismatch', { start });
  }
  const { used, account, asOf } = found;
  const shown = { flow, account, proof: proofOf(used, await provenAt(parts, account.id)), asOf, input, meta };
  const result = await (door === 'first' ? openFirst(parts, shown) : openSecond(parts, shown));
  if (result === 'denied') return refuse(parts, flowId, 'mismatch', { start });
  return result ?? refuse(parts, flowId, 'wrong_step', { start });
}
