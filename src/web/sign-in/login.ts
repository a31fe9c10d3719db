import type { Refusal } from '../../sign-in/index.ts';
import { appCard } from '../app-card.ts';
import { metaOf } from '../request-meta.ts';
import type { LoginError } from '../page-models.ts';
import { openFlow, type SignInSurface, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch } from './steps.ts';

interface Shown {
  readonly username?: string;
  readonly remember?: boolean;
  readonly error?: LoginError;
  readonly pausedUntil?: Date;
}

async function show(surface: SignInSurface, visit: Visit, shown: Shown, status = 200): Promise<void> {
  const demo = surface.demoAccounts();
  await surface.pages.show(
    visit.ctx,
    'login',
    {
      app: appCard(visit.client, visit.interaction.redirectUri),
      loginHint: visit.interaction.loginHint,
      ...shown,
      ...(demo.length > 0 && { demo: { accounts: demo } }),
    },
    status,
  );
}

export async function showLogin(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { step } = await openFlow(surface, visit);
  if (step !== 'password') return dispatch(surface, remember, visit);
  const over = visit.ctx.query.over;
  return show(surface, visit, over === 'expired' || over === 'too-many-codes' ? { error: over } : {});
}

const refusalOf = (reason: Refusal): LoginError =>
  reason === 'paused' || reason === 'expired' ? reason : reason === 'too_many_codes' ? 'too-many-codes' : 'mismatch';

export async function submitLogin(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction, base } = visit;
  const form = await surface.forms.read(ctx);
  const login = form.get('username')?.trim() ?? '';
  const password = form.get('password') ?? '';
  const keep = form.get('remember') === 'yes';
  const meta = metaOf(ctx);

  const wait = await surface.limits.blockedFor(meta.ip, login);
  if (wait > 0) {
    ctx.set('retry-after', String(wait));
    const pausedUntil = new Date(Date.now() + wait * 1000);
    return show(surface, visit, { username: login, remember: keep, error: 'paused', pausedUntil }, 429);
  }
  if (login === '' || password === '') return show(surface, visit, { username: login, remember: keep, error: 'missing' }, 422);

  await openFlow(surface, visit);
  const result = await surface.signIn.submitPassword(interaction.uid, { login, password }, meta);
  if (result.outcome === 'accepted') {
    remember.write(ctx, base, keep);
    return dispatch(surface, remember, visit);
  }
  if (result.reason === 'wrong_step') return dispatch(surface, remember, visit);
  await surface.limits.failed(meta.ip, login);
  const error = refusalOf(result.reason);
  if (result.retryAt !== undefined) ctx.set('retry-after', String(Math.max(1, Math.ceil((result.retryAt - Date.now()) / 1000))));
  return show(
    surface,
    visit,
    { username: login, remember: keep, error, ...(result.retryAt !== undefined && { pausedUntil: new Date(result.retryAt) }) },
    error === 'paused' ? 429 : 422,
  );
}

/** Leaves for the app; the person said no. */
export async function cancel(surface: SignInSurface, visit: Visit): Promise<string> {
  return surface.interactions.refuse(visit.ctx, 'The person cancelled the sign-in.');
}
