import type { Context } from 'koa';
import type { PasswordChangeResult } from '../../account-settings/index.ts';
import { personalWords } from '../../accounts/index.ts';
import type { AccountPasswordPage } from '../account-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { dateOf, keptSession, pauseUntil, type SecuritySurface } from './security-surface.ts';

type Problem = Pick<AccountPasswordPage, 'currentError' | 'paused' | 'reasons'>;

async function show(
  surface: SecuritySurface,
  ctx: Context,
  { account, shell, done }: AccountVisit,
  problem: Problem = {},
): Promise<void> {
  const { factors, times, secondFactor } = await surface.settings.securityState(account);
  const model = {
    shell,
    done,
    login: account.username ?? account.email,
    hasPassword: factors.password,
    changedAt: dateOf(times.password),
    rules: await surface.passwordPolicy.rulesFor(secondFactor, account.id),
    names: personalWords(account),
    ...problem,
  };
  const status = problem.paused ? 429 : Object.keys(problem).length > 0 ? 422 : 200;
  await surface.pages.show(ctx, 'account-password', model, status);
}

function problemOf(
  surface: SecuritySurface,
  ctx: Context,
  result: Exclude<PasswordChangeResult, { outcome: 'changed' }>,
): Problem {
  if (result.outcome === 'refused') return { reasons: result.reasons };
  if (result.outcome === 'paused') return { paused: { until: pauseUntil(ctx, surface, result.retryAt) } };
  if (result.retryAt !== undefined) pauseUntil(ctx, surface, result.retryAt);
  return { currentError: 'mismatch' };
}

async function submit(surface: SecuritySurface, ctx: Context, visit: AccountVisit, form: Form): Promise<void> {
  const { account } = visit;
  const [current, next] = [form.get('current-password') ?? '', form.get('new-password') ?? ''];
  const { factors } = await surface.settings.securityState(account);
  // An empty field is no guess.
  if (factors.password && current === '') return show(surface, ctx, visit, { currentError: 'missing' });
  if (next === '') return show(surface, ctx, visit, { reasons: [{ text: 'Enter a new password.' }] });
  const change = { current, next, ...(await keptSession(surface, visit)) };
  const result = await surface.settings.changePassword(account, change, metaOf(ctx));
  if (result.outcome !== 'changed') return show(surface, ctx, visit, problemOf(surface, ctx, result));
  if (result.endedUntil !== undefined) await surface.renewSession(ctx, { after: result.endedUntil });
  seeDone(ctx, '', 'password');
}

/** The page where the password is changed. */
export const passwordPage = (surface: SecuritySurface): AccountPage => ({
  path: '/password',
  fresh: true,
  show: (ctx, visit) => show(surface, ctx, visit),
  submit: (ctx, visit, form) => submit(surface, ctx, visit, form),
});
