import type { Context } from 'koa';
import type { PasswordReason } from '../../credentials/index.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { deadLink, type EntrySurface, entryPaths, linkRoute, showLinkPage } from './surface.ts';

const path = entryPaths.resetPassword;

async function show(
  surface: EntrySurface,
  ctx: Context,
  token: string | undefined,
  reasons?: readonly PasswordReason[],
): Promise<void> {
  const view = token ? await surface.recovery.viewReset(token) : undefined;
  if (view?.outcome !== 'usable') {
    const { state, status } = deadLink(token);
    return showLinkPage(surface, ctx, 'reset-password', { state }, status);
  }
  const { email, secondFactor, accountId } = view;
  const newPassword = { rules: await surface.passwordPolicy.rulesFor(secondFactor, accountId), reasons };
  const model = { state: 'usable', token, email, secondFactor, newPassword } as const;
  await showLinkPage(surface, ctx, 'reset-password', model, reasons ? 422 : 200);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const token = form.get('token') ?? '';
  const meta = metaOf(ctx);
  const result = await surface.recovery.reset(token, form.get('new-password') ?? '', meta);
  if (result.outcome === 'refused') return show(surface, ctx, token, result.reasons);
  if (result.outcome !== 'done') return show(surface, ctx, token);
  await surface.attempts.forget(meta.ip, result.accountId);
  surface.link.settle(ctx, path, { state: 'done', secondFactor: result.secondFactor });
}

/** Sets a new password with a mailed link. The second factor stays, and nobody is signed in by it. */
export const resetPasswordRoute = linkRoute('reset-password', path, show, submit);
