import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import type { AccountLimits } from './account-limits.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';

interface Needs {
  readonly accounts: Pick<Accounts, 'update'>;
  readonly limits: Pick<AccountLimits, 'username'>;
  readonly pages: PageWriter;
}

const path = '/profile/username';
const missing = 'Give the name that you want to sign in with.';
const meanwhile = 'Your account was changed in another window at the same moment. Save again.';

interface Problem {
  readonly typed: string;
  readonly error: string;
  readonly status: 409 | 422;
}

async function show({ pages }: Needs, ctx: Context, visit: AccountVisit, problem?: Problem): Promise<void> {
  const { account, shell, done } = visit;
  const { status = 200, ...about } = problem ?? {};
  const model = { shell, done: problem ? undefined : done, username: account.username, ...about };
  await pages.show(ctx, 'account-username', model, status);
}

/** Makes the change, or says what is in its way. @throws AppError for all that no other name would help */
async function change(
  { accounts, limits }: Needs,
  ctx: Context,
  { account }: AccountVisit,
  username: string | null,
): Promise<Omit<Problem, 'typed'> | undefined> {
  try {
    if (username !== null) await limits.username(account.id);
    await accounts.update(account.id, account.version, { username }, { kind: 'account', id: account.id }, metaOf(ctx));
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, details } = error;
    if (code === 'conflict') return { error: details.fields?.username ?? meanwhile, status: 409 };
    if (code === 'invalid_input' && details.fields?.username) return { error: details.fields.username, status: 422 };
    throw error;
  }
}

/** The name to sign in with beside the address. */
export const createUsernamePage = (needs: Needs): AccountPage => ({
  path,
  fresh: true,
  notices: { saved: 'Your username is saved.', removed: 'Your username is removed. Sign in with your address.' },
  show: (ctx, visit) => show(needs, ctx, visit),

  async submit(ctx, visit, form) {
    const typed = (form.get('username') ?? '').trim();
    const removes = form.get('action') === 'remove';
    if (!removes && typed === '') return show(needs, ctx, visit, { typed, error: missing, status: 422 });
    const { username } = visit.account;
    if (removes ? username !== undefined : typed !== username) {
      const problem = await change(needs, ctx, visit, removes ? null : typed);
      if (problem) return show(needs, ctx, visit, { ...problem, typed });
    }
    seeDone(ctx, path, removes ? 'removed' : 'saved');
  },
});
