import type { FlowView, SubmitResult } from '../../sign-in/index.ts';
import { metaOf } from '../request-meta.ts';
import { announcePause, appOf, openFlow, type SignInSurface, seeOther, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

type Page = 'totp' | 'backup-code';
const troubles = { wrong_code: 'mismatch', used_code: 'used', paused: 'paused' } as const;
type Trouble = keyof typeof troubles;

async function show(
  surface: SignInSurface,
  visit: Visit,
  page: Page,
  view: FlowView,
  trouble: { readonly error?: Trouble; readonly retryAt?: number | undefined } = {},
): Promise<void> {
  const { error, retryAt } = trouble;
  await surface.pages.show(
    visit.ctx,
    page,
    {
      app: appOf(visit),
      who: view.account?.label ?? '',
      error: error && troubles[error],
      pausedUntil: announcePause(visit.ctx, retryAt),
      attemptsLeft: view.attemptsLeft,
      backupCodes: view.factors.backupCodes > 0,
      remaining: view.factors.backupCodes,
    },
    error === undefined ? 200 : error === 'paused' ? 429 : 422,
  );
}

export async function showSecondFactor(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: Page,
): Promise<void> {
  const view = await openFlow(surface, visit);
  if (view.step !== 'second-factor') return dispatch(surface, remember, visit);
  return show(surface, visit, page, view);
}

async function answer(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: Page,
  result: SubmitResult,
): Promise<void> {
  if (result.outcome === 'accepted') return dispatch(surface, remember, visit, result.view);
  // Without a view nothing is stored: the sign-in is over, or has not begun.
  if (result.reason === 'wrong_step' || !result.view) return dispatch(surface, remember, visit);
  const { reason, retryAt } = result;
  if (reason === 'wrong_code' || reason === 'used_code' || reason === 'paused') {
    const { view } = result;
    if (view.step === 'second-factor')
      return show(surface, visit, page, view, { error: reason, retryAt: reason === 'paused' ? retryAt : undefined });
  }
  // The challenge is over: too many codes, too late, or the account is paused. The first door says so.
  const over = result.reason === 'too_many_codes' || result.reason === 'paused' ? 'too-many-codes' : 'expired';
  seeOther(visit.ctx, `${visit.base}/login?over=${over}`);
}

export async function submitSecondFactor(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  page: Page,
): Promise<void> {
  const { ctx, interaction, base } = visit;
  const form = await surface.forms.read(ctx);
  const action = form.get('action');
  if (action === 'backup-code') return seeOther(ctx, `${base}/backup-code`);
  if (action === 'back') return seeOther(ctx, `${base}/second-factor`);
  if (action === 'restart') {
    if (await surface.signIn.view(interaction.uid)) await surface.signIn.restart(interaction.uid);
    return dispatch(surface, remember, visit);
  }
  const code = form.get('code') ?? '';
  const submit = page === 'totp' ? surface.signIn.submitTotp : surface.signIn.submitBackupCode;
  return answer(surface, remember, visit, page, await submit(interaction.uid, code, metaOf(ctx)));
}
