import { personalWords } from '../accounts/index.ts';
import { hasSecondFactor, type PasswordRules } from '../credentials/index.ts';
import type { CreationOptions } from '../passkeys/index.ts';
import { epochSeconds } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { type Evidence, withMethod } from './evidence.ts';
import type { SignInParts } from './parts.ts';
import type { ChangeResult, FlowView, RequestMeta } from './sign-in-types.ts';
import { enrolAfter, findSituation, getSituation, refuse, type Situation, situationOf, viewOf } from './situation.ts';
import { takeStep } from './take-step.ts';

/** Mails the link that confirms the address again, where that is all that is missing; elsewhere nothing happens. */
export async function resendVerification(parts: SignInParts, flowId: string): Promise<FlowView> {
  const situation = await getSituation(parts, flowId);
  if (situation.step === 'verify-email' && situation.account) await parts.registration.resend(situation.account.email);
  return viewOf(parts, situation);
}

const mayBeShorter = ({ factors: { passkeys = 0, ...others } }: Situation): boolean =>
  hasSecondFactor({ ...others, passkeys });

/** What a new password has to be. @throws AppError `expired`, `conflict` */
export async function passwordRules(
  parts: SignInParts,
  flowId: string,
): Promise<{ readonly rules: PasswordRules; readonly names: readonly string[] }> {
  const situation = await getSituation(parts, flowId);
  if (situation.step !== 'change-password' || !situation.account) {
    throw new AppError('conflict', 'A new password is not the next step. Go back to the sign-in.');
  }
  const rules = await parts.passwordPolicy.rulesFor(mayBeShorter(situation), situation.account.id);
  return { rules, names: personalWords(situation.account) };
}

/**
 * A change of password ends everything that was proven before it, as of the same second too. What was proven in this
 * sign-in goes on as of the next one; what an older session proved has to be shown again.
 */
async function renewed(parts: SignInParts, { flow }: Situation, evidence: Evidence): Promise<Evidence> {
  const { revocations, clock, policy } = parts;
  const at = Math.floor(clock.now() / 1000) + 1;
  const recent = evidence.methods.filter((proof) => proof.at >= enrolAfter(policy, flow));
  const asOf = await revocations.endOf(evidence.accountId);
  return { ...evidence, asOf, methods: recent.map((proof) => ({ ...proof, at })) };
}

/** Takes a password in the place of one that is marked or too old. @throws AppError `unavailable` when overloaded */
export async function changePassword(
  parts: SignInParts,
  flowId: string,
  password: string,
  meta: RequestMeta,
): Promise<ChangeResult> {
  const { flows, credentials, passwordPolicy, clock } = parts;
  const situation = await findSituation(parts, flowId);
  const { flow, account } = situation ?? {};
  if (situation?.step !== 'change-password' || !flow?.evidence || !account) return refuse(parts, flowId, 'wrong_step');
  const owner = { accountId: account.id, personal: personalWords(account), secondFactor: mayBeShorter(situation) };
  const verdict = await passwordPolicy.check(password, owner);
  if (!verdict.ok) return { outcome: 'weak', reasons: verdict.reasons, view: viewOf(parts, situation) };
  const prepared = await credentials.preparePassword(password);
  const proven = flow.evidence;
  const next = await takeStep<'moved'>(flows, flow, clock.now(), async () => {
    if (!(await flows.hold(flow, account.id, clock.now()))) return 'moved';
    await credentials.setPassword(account.id, prepared, { ...meta, clientId: flow.clientId, keptFlow: flow.id });
    // Dated only now: what the new password ends is everything up to this moment.
    return { evidence: await renewed(parts, situation, proven), unseenCodes: flow.unseenCodes };
  });
  if (next === 'moved') return refuse(parts, flowId, 'wrong_step');
  return { outcome: 'accepted', view: viewOf(parts, await situationOf(parts, next)) };
}

/** What a new passkey is made with. @throws AppError `expired`, `conflict` when none is offered now */
export async function beginOfferedPasskey(parts: SignInParts, flowId: string): Promise<CreationOptions> {
  const { step, flow, account } = await getSituation(parts, flowId);
  if (step !== 'offer-passkey' || !account) {
    throw new AppError('conflict', 'A passkey is not offered now. Go back to the sign-in.');
  }
  return parts.passkeys.beginRegistration(account, flow.id, { automatic: true });
}

/**
 * Adds the passkey that the person wanted; undefined is "not now". Either way the sign-in goes on, and where nothing is
 * offered it only says where that stands. @throws AppError `invalid_input`, `expired`, `conflict` for a passkey that is none
 */
export async function answerOffer(
  parts: SignInParts,
  flowId: string,
  response: unknown,
  meta: RequestMeta,
): Promise<FlowView> {
  const { flows, passkeys, clock } = parts;
  const situation = await getSituation(parts, flowId);
  const { step, flow, account } = situation;
  if (step !== 'offer-passkey' || !account || !flow.evidence) return viewOf(parts, situation);
  const context = { ...meta, clientId: flow.clientId };
  const { unseenCodes } = flow;
  const made =
    response !== undefined && (await passkeys.finishRegistration(account, flow.id, response, undefined, context));
  const evidence = made ? withMethod(flow.evidence, account.id, 'new_passkey', epochSeconds(clock)) : flow.evidence;
  const next = await flows.advance(flow, { evidence, unseenCodes, offerPasskey: false }, clock.now());
  // The account was taken back, or the form was sent twice, while the passkey was being made: it proves nothing.
  if (made && !next) await passkeys.remove(account.id, made.id, context);
  return viewOf(parts, next ? await situationOf(parts, next) : await getSituation(parts, flowId));
}
