import type { Context } from 'koa';
import type { PasswordReason } from '../../credentials/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { seeOther } from '../sign-in/context.ts';
import { deadLink, type EntrySurface, entryPaths, linkRoute, rememberedSignIn, showLinkPage } from './surface.ts';

async function show(
  surface: EntrySurface,
  ctx: Context,
  token: string | undefined,
  reasons?: readonly PasswordReason[],
): Promise<void> {
  const { registration, passwordPolicy } = surface;
  const open = registration.policy.mode !== 'off' && token !== undefined;
  const invitation = open ? await registration.viewInvitation(token) : undefined;
  const newPassword = { rules: await passwordPolicy.rulesFor(false), reasons };
  const { state, status } = invitation ? ({ state: 'usable', status: reasons ? 422 : 200 } as const) : deadLink(token);
  await showLinkPage(surface, ctx, 'invitation', { state, token, email: invitation?.email, newPassword }, status);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { registration, cookie, link } = surface;
  const token = form.get('token') ?? '';
  const email = (await registration.viewInvitation(token))?.email;
  if (email === undefined) return show(surface, ctx, token);
  const input = { email, password: form.get('new-password') ?? '', invitation: token, browser: cookie.browserOf(ctx) };
  try {
    // Operators bound how many there are.
    const result = await registration.register(input, metaOf(ctx));
    if (result.outcome === 'refused') return show(surface, ctx, token, result.reasons);
  } catch (error) {
    if (error instanceof AppError && error.code === 'expired') return show(surface, ctx, token);
    throw error;
  }
  cookie.write(ctx, { signIn: rememberedSignIn(surface, ctx), login: email, asked: 'registered' });
  link.clear(ctx, entryPaths.invitation);
  seeOther(ctx, entryPaths.checkMail);
}

/** Somebody who was invited makes the account for the address that the invitation went to. */
export const invitationRoute = linkRoute('invitation', entryPaths.invitation, show, submit);
