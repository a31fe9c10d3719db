import { hasSecondFactor } from '../../credentials/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { FlowView } from '../../sign-in/index.ts';
import type { ChangePasswordPage } from '../factor-models.ts';
import { metaOf } from '../request-meta.ts';
import { appOf, leave, openFlow, type SignInSurface, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

const whoOf = (view: FlowView): string => view.account?.label ?? '';

async function restart(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  await surface.signIn.restart(visit.interaction.uid);
  return dispatch(surface, remember, visit);
}

/** Somebody whose password was right and whose address waits to be confirmed. */
export async function showUnverified(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const view = await openFlow(surface, visit);
  if (view.step !== 'verify-email') return dispatch(surface, remember, visit);
  await surface.pages.show(visit.ctx, 'unverified', { app: appOf(visit), who: whoOf(view) });
}

export async function submitUnverified(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction } = visit;
  const action = (await surface.forms.read(ctx)).get('action');
  if (action === 'cancel') return leave(surface, visit);
  if (action === 'restart') return restart(surface, remember, visit);
  // "Go on" after the link was opened elsewhere: where the sign-in stands decides.
  if (action !== 'resend') return dispatch(surface, remember, visit);
  await surface.mails.mail(metaOf(ctx).ip);
  const view = await surface.signIn.resendVerification(interaction.uid);
  if (view.step !== 'verify-email') return dispatch(surface, remember, visit);
  await surface.pages.show(ctx, 'unverified', { app: appOf(visit), who: whoOf(view), sent: true });
}

async function showRules(
  surface: SignInSurface,
  visit: Visit,
  view: FlowView,
  reasons?: ChangePasswordPage['reasons'],
): Promise<void> {
  const rules = await surface.signIn.passwordRules(visit.interaction.uid);
  const model = { app: appOf(visit), who: whoOf(view), ...rules, reasons };
  await surface.pages.show(visit.ctx, 'change-password', model, reasons ? 422 : 200);
}

/** A password that somebody else chose or that is too old: the way to the app leads through another one. */
export async function showChangePassword(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const view = await openFlow(surface, visit);
  if (view.step !== 'change-password') return dispatch(surface, remember, visit);
  return showRules(surface, visit, view);
}

export async function submitChangePassword(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction } = visit;
  const form = await surface.forms.read(ctx);
  if (form.get('action') === 'cancel') return leave(surface, visit);
  const result = await surface.signIn.changePassword(interaction.uid, form.get('new-password') ?? '', metaOf(ctx));
  if (result.outcome === 'weak') return showRules(surface, visit, result.view, result.reasons);
  if (result.outcome === 'refused') return dispatch(surface, remember, visit);
  return dispatch(surface, remember, visit, result.view);
}

async function showOffered(surface: SignInSurface, visit: Visit, view: FlowView, problem?: string): Promise<void> {
  const options = await surface.signIn.beginOfferedPasskey(visit.interaction.uid);
  const { password, totp, backupCodes, passkeys = 0 } = view.factors;
  const isFirstSecondStep = password && !hasSecondFactor({ totp, backupCodes, passkeys });
  const model = { app: appOf(visit), who: whoOf(view), options, problem, isFirstSecondStep };
  await surface.pages.show(visit.ctx, 'offer-passkey', model, problem === undefined ? 200 : 422);
}

/** Asks, once in a while, if the person wants a passkey; "Not now" goes on. */
export async function showOfferPasskey(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const view = await openFlow(surface, visit);
  if (view.step !== 'offer-passkey') return dispatch(surface, remember, visit);
  return showOffered(surface, visit, view);
}

export async function submitOfferPasskey(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction } = visit;
  const form = await surface.forms.read(ctx);
  const response = form.get('action') === 'passkey' ? (form.get('passkey') ?? '') : undefined;
  const view = await openFlow(surface, visit);
  if (view.step !== 'offer-passkey') return dispatch(surface, remember, visit);
  let next: FlowView;
  try {
    next = await surface.signIn.answerOffer(interaction.uid, response, metaOf(ctx));
  } catch (error) {
    if (response === undefined || !(error instanceof AppError) || error.code === 'unavailable') throw error;
    return showOffered(surface, visit, view, error.message);
  }
  return dispatch(surface, remember, visit, next);
}
