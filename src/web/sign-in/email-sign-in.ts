import type { EmailSignInPage } from '../factor-models.ts';
import { metaOf } from '../request-meta.ts';
import { announcePause, appOf, leave, openFlow, type SignInSurface, seeOther, startOf, type Visit } from './context.ts';
import { doorInput, leaveFirstDoor } from './login.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

type Shown = Pick<EmailSignInPage, 'state' | 'login' | 'token' | 'error'>;

async function show(surface: SignInSurface, visit: Visit, shown: Shown, status = 200): Promise<void> {
  const { emailSignIn } = surface.signIn;
  const kind = emailSignIn === 'link' ? 'link' : 'code';
  await surface.pages.show(visit.ctx, 'email-sign-in', { app: appOf(visit), kind, ...shown }, status);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Asks for a name, or, behind a mailed link, for the press that uses it: a mail scanner that looks signs nobody in. */
export async function showEmailSignIn(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const { step, loginHint } = await openFlow(surface, visit);
  if (step !== 'password' || surface.signIn.emailSignIn === 'off') return dispatch(surface, remember, visit);
  const token = textOf(ctx.query.token);
  if (token !== '') return show(surface, visit, { state: 'link', token });
  return show(surface, visit, { state: 'ask', login: loginHint ?? visit.interaction.loginHint });
}

async function send(surface: SignInSurface, remember: Remember, visit: Visit, login: string): Promise<void> {
  const { ctx, interaction, base } = visit;
  if (login === '') return show(surface, visit, { state: 'ask', error: 'missing' }, 422);
  const pathOf = (token: string): string => `${base}/email?token=${encodeURIComponent(token)}`;
  const wish = { login, start: await startOf(surface, visit), pathOf };
  const meta = metaOf(ctx);
  await surface.mails.mail(meta.ip);
  const result = await surface.signIn.mailSignIn(interaction.uid, wish, meta);
  if (result.outcome === 'refused') return dispatch(surface, remember, visit);
  if (result.outcome === 'sent') return show(surface, visit, { state: 'sent', login });
  announcePause(ctx, result.retryAt);
  return show(surface, visit, { state: 'ask', login, error: 'limited' }, 429);
}

export async function submitEmailSignIn(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction, base } = visit;
  const { signIn } = surface;
  const form = await surface.forms.read(ctx);
  const action = form.get('action');
  if (action === 'cancel') return leave(surface, visit);
  if (action === 'back') return seeOther(ctx, `${base}/login`);
  if (signIn.emailSignIn === 'off') return dispatch(surface, remember, visit);
  const login = form.get('username')?.trim() ?? '';
  const [code, token] = [form.get('code'), form.get('token')];
  if (action === 'resend' || (code === undefined && token === undefined)) return send(surface, remember, visit, login);
  const input = await doorInput(surface, visit);
  const meta = metaOf(ctx);
  const result =
    token !== undefined
      ? await signIn.submitMailedLink(interaction.uid, token, input, meta)
      : await signIn.submitMailedCode(interaction.uid, code ?? '', input, meta);
  if (await leaveFirstDoor(surface, remember, visit, result, false)) return;
  const used = result.outcome === 'refused' && result.reason === 'used_code';
  if (token !== undefined) return show(surface, visit, { state: 'ask', error: 'used' }, 422);
  return show(surface, visit, { state: 'sent', login, error: used ? 'used' : 'mismatch' }, 422);
}
