import type { Context } from 'koa';
import { AppError } from '../../shared/errors.ts';
import type { RegisterPage } from '../entry-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { seeOther } from '../sign-in/context.ts';
import { type EntryRoute, type EntrySurface, entryPaths, nextStop, signInOf } from './surface.ts';

type Shown = Partial<Omit<RegisterPage, 'newPassword' | 'next' | 'state'>> &
  Pick<RegisterPage['newPassword'], 'reasons'>;

async function show(surface: EntrySurface, ctx: Context, { reasons, ...shown }: Shown, status: number): Promise<void> {
  const { mode } = surface.registration.policy;
  const rules = await surface.passwordPolicy.rulesFor(false);
  const next = await nextStop(surface, shown.signIn);
  await surface.pages.show(
    ctx,
    'register',
    { ...shown, state: mode, next, newPassword: { rules, reasons } },
    mode === 'open' ? status : 403,
  );
}

/** What is wrong with the address, when that is all that is wrong. */
const problemOf = (error: unknown): string | undefined =>
  error instanceof AppError && error.code === 'invalid_input' ? error.details.fields?.email : undefined;

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { registration, limits, cookie } = surface;
  const signIn = signInOf(form.get('sign_in'));
  const email = form.get('email')?.trim() ?? '';
  const password = form.get('new-password') ?? '';
  if (registration.policy.mode !== 'open') return show(surface, ctx, { signIn }, 403);
  const meta = metaOf(ctx);
  const browser = cookie.browserOf(ctx);
  try {
    const result = await registration.register({ email, password, browser }, meta, () => limits.registration(meta.ip));
    if (result.outcome === 'refused') return show(surface, ctx, { signIn, email, reasons: result.reasons }, 422);
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return show(surface, ctx, { signIn, email, problem }, 422);
  }
  cookie.write(ctx, { signIn, login: email, asked: 'registered' });
  seeOther(ctx, entryPaths.checkMail);
}

/** Anybody makes an account. A free and a taken address get the same answer; the mail says the rest. */
export const registerRoute: EntryRoute = {
  path: entryPaths.register,
  async show(surface, ctx) {
    const { invitation, sign_in } = ctx.query;
    if (invitation !== undefined) return surface.link.take(ctx, invitation, entryPaths.invitation);
    return show(surface, ctx, { signIn: signInOf(sign_in) }, 200);
  },
  submit,
};
