import type { Context } from 'koa';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { seeOther } from '../sign-in/context.ts';
import { type EntryRoute, type EntrySurface, entryPaths, nextStop, signInOf } from './surface.ts';

async function show(surface: EntrySurface, ctx: Context, signIn: string | undefined, error?: 'missing'): Promise<void> {
  const next = await nextStop(surface, signIn);
  await surface.pages.show(ctx, 'forgot-password', { next, signIn, error }, error ? 422 : 200);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { recovery, limits, cookie } = surface;
  const signIn = signInOf(form.get('sign_in'));
  const login = form.get('username')?.trim() ?? '';
  if (login === '') return show(surface, ctx, signIn, 'missing');
  const meta = metaOf(ctx);
  await limits.mail(meta.ip);
  await recovery.requestReset(login, meta);
  cookie.write(ctx, { signIn, login, asked: 'reset' });
  seeOther(ctx, entryPaths.checkMail);
}

/** Asks for a link to set a new password. Any text gets the same answer. */
export const forgotPasswordRoute: EntryRoute = {
  path: entryPaths.forgotPassword,
  show: (surface, ctx) => show(surface, ctx, signInOf(ctx.query.sign_in)),
  submit,
};
