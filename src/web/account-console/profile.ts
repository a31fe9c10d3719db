import type { Context } from 'koa';
import type { Account, Accounts } from '../../accounts/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { type ProfileValues, patchOf, profileGroups, profileOf, readProfile, sameProfile } from './profile-fields.ts';

interface Needs {
  readonly accounts: Pick<Accounts, 'find' | 'update'>;
  readonly pages: PageWriter;
}

interface Shown {
  readonly account: Account;
  readonly values: ProfileValues;
  readonly errors?: Readonly<Record<string, string>>;
  readonly conflict?: boolean;
}

const path = '/profile';

async function show({ pages }: Needs, ctx: Context, visit: AccountVisit, shown: Shown, status = 200): Promise<void> {
  const { account, values, errors, conflict } = shown;
  const model = {
    shell: visit.shell,
    done: status === 200 ? visit.done : undefined,
    version: account.version,
    email: account.email,
    emailVerified: account.emailVerified,
    username: account.username,
    conflict,
    groups: profileGroups(values, { ...(errors && { errors }), ...(conflict && { stored: profileOf(account) }) }),
  };
  await pages.show(ctx, 'account-profile', model, status);
}

/** What a refused change becomes: the form again with what was typed, and what is in its way. */
async function explain(needs: Needs, ctx: Context, visit: AccountVisit, values: ProfileValues, error: AppError) {
  if (error.code === 'invalid_input' && error.details.fields) {
    return show(needs, ctx, visit, { account: visit.account, values, errors: error.details.fields }, 422);
  }
  if (error.code !== 'conflict') throw error;
  // From now on the form is about the account as it is; sending it again is a decision and no accident.
  const account = await needs.accounts.find(visit.account.id);
  if (!account) throw error;
  return show(needs, ctx, visit, { account, values, conflict: true }, 409);
}

/** The standard claims of the person, their address and phone number. */
export const createProfilePage = (needs: Needs): AccountPage => ({
  path,
  notices: { saved: 'Your profile is saved.' },
  show: (ctx, visit) => show(needs, ctx, visit, { account: visit.account, values: profileOf(visit.account) }),

  async submit(ctx, visit, form) {
    const { account } = visit;
    const values = readProfile(form);
    const version = /^\d{1,9}$/.test(form.get('version') ?? '') ? Number(form.get('version')) : 0;
    if (!sameProfile(values, profileOf(account))) {
      try {
        const by = { kind: 'account', id: account.id } as const;
        await needs.accounts.update(account.id, version, patchOf(values), by, metaOf(ctx));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return explain(needs, ctx, visit, values, error);
      }
    }
    seeDone(ctx, path, 'saved');
  },
});
