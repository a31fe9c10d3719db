import Router from '@koa/router';
import type { Context } from 'koa';
import type { AccountData } from '../../account-data/index.ts';
import { parseEmail } from '../../accounts/index.ts';
import type { ConnectedApps } from '../../consents/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, accountHome } from './account-pages.ts';

interface Needs {
  readonly accountData: Pick<AccountData, 'delete'>;
  readonly connectedApps: Pick<ConnectedApps, 'list'>;
  readonly sessions: Pick<Sessions, 'list'>;
  readonly pages: PageWriter;
  readonly clock: Clock;
  /** Days that a deleted account can be restored. */
  readonly deletionDays: number;
}

const deletedPath = `${accountHome}/deleted`;
const day = 86_400_000;

async function show(
  { connectedApps, sessions, pages, clock, deletionDays }: Needs,
  ctx: Context,
  { account, shell }: AccountVisit,
  problem?: { readonly typed: string; readonly error: string },
): Promise<void> {
  const [apps, open] = await Promise.all([connectedApps.list(account.id), sessions.list(account.id)]);
  const model = {
    shell,
    email: account.email,
    apps: apps.length,
    sessions: open.length,
    purgesAt: new Date(clock.now() + deletionDays * day),
    deletionDays,
    ...problem,
  };
  await pages.show(ctx, 'account-delete', model, problem ? 422 : 200);
}

/** The end of the account. Its address has to be typed, so that nobody ends one by a slip of the hand. */
export const createDeletePage = (needs: Needs): AccountPage => ({
  path: '/data/delete',
  fresh: true,
  show: (ctx, visit) => show(needs, ctx, visit),

  async submit(ctx, visit, form) {
    const { account } = visit;
    const typed = (form.get('email') ?? '').trim();
    if (parseEmail(typed)?.key !== parseEmail(account.email)?.key) {
      const error = `Type ${account.email} to delete this account. Nothing was deleted.`;
      return show(needs, ctx, visit, { typed, error });
    }
    await needs.accountData.delete(account.id, { kind: 'account', id: account.id }, metaOf(ctx));
    ctx.status = 303;
    ctx.set('location', deletedPath);
    ctx.body = '';
  },
});

/** What is shown after it, to somebody who is signed in no more. */
export function createFarewellRoutes({ pages, deletionDays }: Pick<Needs, 'pages' | 'deletionDays'>): Router {
  const router = new Router();
  router.get('account:deleted', deletedPath, (ctx: Context) => pages.show(ctx, 'account-deleted', { deletionDays }));
  return router;
}
