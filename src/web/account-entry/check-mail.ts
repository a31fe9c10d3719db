import type { Context } from 'koa';
import type { CheckMailPage } from '../entry-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { seeOther } from '../sign-in/context.ts';
import { type EntryRoute, type EntrySurface, entryPaths, nextStop, signInOf } from './surface.ts';

async function show(surface: EntrySurface, ctx: Context, error?: CheckMailPage['error']): Promise<void> {
  const known = surface.cookie.read(ctx);
  const signIn = signInOf(known?.signIn);
  const state = known?.login === undefined ? 'plain' : (known.asked ?? 'plain');
  const next = await nextStop(surface, signIn);
  await surface.pages.show(ctx, 'check-mail', { state, login: known?.login, next, signIn, error }, error ? 422 : 200);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { registration, limits, cookie } = surface;
  const email = form.get('email')?.trim() ?? '';
  if (email === '') return show(surface, ctx, 'missing');
  await limits.mail(metaOf(ctx).ip);
  await registration.resend(email);
  cookie.write(ctx, { signIn: signInOf(cookie.read(ctx)?.signIn), login: email, asked: 'resent' });
  seeOther(ctx, entryPaths.checkMail);
}

/** The one page after every form that may have sent a mail, whatever was found. It also sends a confirmation again. */
export const checkMailRoute: EntryRoute = {
  path: entryPaths.checkMail,
  show: (surface, ctx) => show(surface, ctx),
  submit,
};
