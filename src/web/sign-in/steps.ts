import { AppError } from '../../shared/errors.ts';
import { expired, type FinishedSignIn, type FlowView, type SecondFactor, type Step } from '../../sign-in/index.ts';
import { metaOf } from '../request-meta.ts';
import type { SignInSurface, Visit } from './context.ts';
import { openFlow, requirementOf, seeOther } from './context.ts';
import type { Remember } from './remember.ts';

/** Which page stands for which step. No step names another: each returns to the dispatcher. */
const pathOf: Record<Exclude<Step, 'done'>, string> = {
  password: 'login',
  'verify-email': 'verify-email',
  'second-factor': 'second-factor',
  'enroll-totp': 'enroll',
  'show-backup-codes': 'backup-codes',
  'change-password': 'change-password',
  'offer-passkey': 'offer-passkey',
};

const secondDoors: Record<SecondFactor, string> = {
  totp: 'second-factor',
  passkey: 'passkey',
  backup_code: 'backup-code',
  email: 'email-code',
};

/** The page of a step; at the second door that of the usual way through. */
const pageOf = (step: Exclude<Step, 'done'>, ways: FlowView['ways']): string => {
  const [way] = ways ?? [];
  return step === 'second-factor' && way ? secondDoors[way] : pathOf[step];
};

/** The page of a prompt that is not about signing in, unless the person chose to sign in anew. */
export async function pageOfPrompt(surface: SignInSurface, { interaction }: Visit): Promise<string | undefined> {
  const page = { consent: 'consent', select_account: 'select-account', login: undefined, other: undefined }[
    interaction.prompt
  ];
  if (!page || !interaction.session || (!interaction.isNew && (await surface.signIn.view(interaction.uid))))
    return undefined;
  return page;
}

/** The same form was answered first, or the account was taken back meanwhile. */
class StepMoved extends Error {}

/** Opens the session of a finished sign-in and says its handle. @throws AppError `forbidden` when the account has too many. */
async function openSession(
  { signIn, sessions, devices, deviceCookie }: SignInSurface,
  { ctx, interaction }: Visit,
  finished: FinishedSignIn,
  uid: string | undefined,
): Promise<string> {
  const { accountId, amr, acr, evidence, step } = finished;
  const meta = metaOf(ctx);
  const deviceId = deviceCookie.renew(ctx);
  const request = {
    accountId,
    kind: 'browser',
    flow: interaction.uid,
    uid,
    deviceId,
    amr,
    acr,
    asOf: step ? undefined : evidence.asOf,
  } as const;
  const opened = await sessions.open(request, meta, async () => {
    await signIn.recordSuccess(finished, meta);
    await devices.seen(accountId, deviceId, meta, finished.deviceKnown);
  });
  if (opened.outcome === 'ended') throw new StepMoved();
  if (opened.outcome === 'refused') {
    throw new AppError(
      'forbidden',
      `You are signed in at ${opened.limit} ${opened.limit === 1 ? 'place' : 'places'}, the most that your account may have. Sign out at one of them and try again.`,
    );
  }
  return opened.id;
}

/**
 * Opens the session, hands the result to the protocol, and sends the browser to wherever that leads: mostly the app. False,
 * and nothing of it is kept, when another form of this sign-in came first or the account was taken back meanwhile.
 */
export async function goBack(
  surface: SignInSurface,
  visit: Visit,
  finished: FinishedSignIn,
  remember: boolean,
): Promise<boolean> {
  try {
    await enterApp(surface, visit, finished, remember);
    return true;
  } catch (error) {
    await finished.step?.undo().catch(() => undefined);
    if (error instanceof StepMoved) return false;
    throw error;
  }
}

async function enterApp(
  surface: SignInSurface,
  visit: Visit,
  finished: FinishedSignIn,
  remember: boolean,
): Promise<void> {
  const { accountId, amr, acr, authTime } = finished;
  const { interactions, asProtocol, forms, browserSessions } = surface;
  const { ctx } = visit;
  // Looked up before, because that may note a use of the session, whose row nobody may hold who waits for the account.
  const uid = (await browserSessions.current(ctx))?.uid;
  let onward: string | undefined;
  await asProtocol(ctx, async () => {
    const stored = await finished.step?.store();
    const session = await openSession(surface, visit, finished, uid);
    if (stored && !(await stored.done)) throw new StepMoved();
    onward = await interactions.finishSignIn(ctx, { accountId, amr, acr, authTime, remember, session });
    if (onward !== undefined) seeOther(ctx, onward);
  });
  // Whoever sent the form may have it now; whoever sends it twice asks for it in a moment.
  if (onward === undefined) void interactions.keepAnswer(ctx, forms.markOf);
}

/**
 * Sends the browser to where the sign-in stands: the next page, or back to the app when nothing is left to show.
 * Every page posts back to here, so no order of pages can skip a step. `known` is where it stood a moment ago; the
 * sign-in domain looks again before it finishes.
 */
export async function dispatch(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  known?: FlowView,
): Promise<void> {
  const { ctx, interaction, base } = visit;
  // A flow that was opened on top of these two is someone who wants to be someone else.
  const asked = known ? undefined : await pageOfPrompt(surface, visit);
  if (asked) return seeOther(ctx, `${base}/${asked}`);
  const { step, ways } = known ?? (await openFlow(surface, visit));
  if (step !== 'done') return seeOther(ctx, `${base}/${pageOf(step, ways)}`);
  const finished = await surface.signIn.finish(interaction.uid);
  if (await goBack(surface, visit, finished, remember.read(ctx))) return;
  throw expired();
}

/** Starts a sign-in on top of a consent or chooser page: what this browser proved before is worth nothing for it. */
export async function signInAnew(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { interaction, client } = visit;
  await surface.signIn.open(interaction.uid, { clientId: client.id, requirement: await requirementOf(surface, visit) });
  return dispatch(surface, remember, visit);
}
