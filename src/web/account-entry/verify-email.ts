import type { Context } from 'koa';
import type { PasswordReason } from '../../credentials/index.ts';
import type { VerifyResult } from '../../registration/index.ts';
import type { VerifyEmailPage } from '../entry-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { deadLink, type EntrySurface, entryPaths, linkRoute, showLinkPage } from './surface.ts';

const path = entryPaths.verifyEmail;

interface Shown {
  /** What the person chose instead of the password. */
  readonly step?: 'own' | 'discard' | undefined;
  readonly error?: VerifyEmailPage['error'];
  readonly reasons?: readonly PasswordReason[] | undefined;
}

const stepOf = (text: string | undefined): Shown['step'] => (text === 'own' || text === 'discard' ? text : undefined);

/** What the page asks for. Nothing is used up, so a mail scanner that opens the link changes nothing. */
async function show(
  surface: EntrySurface,
  ctx: Context,
  token: string | undefined,
  { step, error, reasons }: Shown = {},
): Promise<void> {
  const { registration, cookie, passwordPolicy } = surface;
  const view = token ? await registration.viewVerification(token, cookie.read(ctx)?.browser) : undefined;
  if (view?.outcome === 'already') return showLinkPage(surface, ctx, 'verify-email', { state: 'already' });
  if (view?.outcome !== 'usable') {
    const { state, status } = deadLink(token);
    return showLinkPage(surface, ctx, 'verify-email', { state }, status);
  }
  const state = view.proven ? 'confirm' : (step ?? 'password');
  const newPassword = state === 'own' ? { rules: await passwordPolicy.rulesFor(false), reasons } : undefined;
  const model = { state, token, email: view.email, error, newPassword } as const;
  await showLinkPage(surface, ctx, 'verify-email', model, error || reasons ? 422 : 200);
}

async function discard(surface: EntrySurface, ctx: Context, token: string): Promise<void> {
  const { outcome } = await surface.registration.discard(token, metaOf(ctx));
  if (outcome !== 'discarded') return show(surface, ctx, token);
  surface.link.settle(ctx, path, { state: 'discarded' });
}

async function answer(surface: EntrySurface, ctx: Context, token: string, result: VerifyResult, shown: Shown) {
  if (result.outcome === 'refused') return show(surface, ctx, token, { step: 'own', reasons: result.reasons });
  if (result.outcome === 'unproven') return show(surface, ctx, token, shown);
  if (result.outcome !== 'verified') return show(surface, ctx, token);
  surface.link.settle(ctx, path, { state: 'done', usernameTaken: result.usernameTaken });
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { registration, cookie } = surface;
  const token = form.get('token') ?? '';
  const action = form.get('action');
  // The buttons beside the password only lead to another form.
  if (action !== 'continue') return show(surface, ctx, token, { step: stepOf(action) });
  const step = stepOf(form.get('step'));
  if (step === 'discard') return discard(surface, ctx, token);
  const newPassword = step === 'own' ? (form.get('new-password') ?? '') : undefined;
  const password = step === 'own' ? undefined : form.get('password');
  const proof = { browser: cookie.read(ctx)?.browser, password, newPassword };
  const result = await registration.verifyEmail(token, proof, metaOf(ctx));
  await answer(surface, ctx, token, result, { error: password ? 'mismatch' : 'missing' });
}

/** Confirms an address. Whoever did not register in this browser shows the password, or sets one of their own. */
export const verifyEmailRoute = linkRoute('verify-email', path, show, submit);
