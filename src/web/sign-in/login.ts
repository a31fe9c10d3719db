import type { Account } from '../../accounts/index.ts';
import { asAccountId } from '../../shared/ids.ts';
import type { Refusal } from '../../sign-in/index.ts';
import type { LoginError } from '../page-models.ts';
import { metaOf } from '../request-meta.ts';
import { announcePause, appOf, leave, openFlow, type SignInSurface, startOf, type Visit } from './context.ts';
import type { Remember } from './remember.ts';
import { dispatch, goBack } from './steps.ts';

interface Shown {
  readonly username?: string;
  readonly remember?: boolean;
  readonly error?: LoginError;
  readonly pausedUntil?: Date | undefined;
}

/** Who is signed in to this browser, when the app wants to see their password again and names nobody else. */
async function knownPerson({ accounts }: SignInSurface, { interaction }: Visit): Promise<Account | undefined> {
  const { prompt, session, loginHint, hintedAccountId } = interaction;
  if (prompt !== 'login' || !session || (hintedAccountId ?? session.accountId) !== session.accountId) return undefined;
  const account = await accounts.find(asAccountId(session.accountId));
  if (account?.status !== 'active') return undefined;
  return [undefined, account.username, account.email].includes(loginHint) ? account : undefined;
}

async function show(surface: SignInSurface, visit: Visit, shown: Shown, status = 200): Promise<void> {
  const demo = surface.demoAccounts();
  const known = await knownPerson(surface, visit);
  await surface.pages.show(
    visit.ctx,
    'login',
    {
      app: appOf(visit),
      loginHint: visit.interaction.loginHint ?? known?.username ?? known?.email,
      again: known?.email,
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
  reason === 'paused' ? reason : reason === 'too_many_codes' ? 'too-many-codes' : 'mismatch';

export async function submitLogin(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const form = await surface.forms.read(ctx);
  if (form.get('action') === 'cancel') return leave(surface, visit);
  const login = form.get('username')?.trim() ?? '';
  const password = form.get('password') ?? '';
  const typed = { username: login, remember: form.get('remember') === 'yes' };
  if (login === '' || password === '') return show(surface, visit, { ...typed, error: 'missing' }, 422);

  const meta = metaOf(ctx);
  const input = { login, password, start: await startOf(surface, visit), finish: true };
  const result = await surface.limits.attempt(meta.ip, login, () =>
    surface.signIn.submitPassword(visit.interaction.uid, input, meta),
  );
  if (result.outcome === 'accepted') {
    if (result.finished) return goBack(surface, visit, result.finished, typed.remember);
    remember.write(ctx, visit.base, typed.remember);
    return dispatch(surface, remember, visit, result.view);
  }
  // A form of a page that is done, for example sent again: where the sign-in stands decides.
  if (result.reason === 'wrong_step' || result.reason === 'expired') return dispatch(surface, remember, visit);
  const error = refusalOf(result.reason);
  if (error !== 'paused') return show(surface, visit, { ...typed, error }, 422);
  return show(surface, visit, { ...typed, error, pausedUntil: announcePause(ctx, result.retryAt) }, 429);
}
