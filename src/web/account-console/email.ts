import type { Context } from 'koa';
import type { Registration } from '../../registration/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { PageWriter } from '../page-writer.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';

interface Needs {
  readonly registration: Pick<Registration, 'changeEmail'>;
  readonly pages: PageWriter;
}

const path = '/profile/email';
const missing = 'Give the new address, for example alex@example.com.';

async function show(
  { pages }: Needs,
  ctx: Context,
  { account, shell, done }: AccountVisit,
  problem?: { readonly typed: string; readonly error: string },
): Promise<void> {
  const { email, emailVerified } = account;
  const model = { shell, done: problem ? undefined : done, email, emailVerified, ...problem };
  await pages.show(ctx, 'account-email', model, problem ? 422 : 200);
}

/** Starts a change of the mail address: a link to the new one, which alone makes the change. */
export const createEmailPage = (needs: Needs): AccountPage => ({
  path,
  fresh: true,
  notices: {
    // The same for an address that another account has: its owner gets a mail of another kind.
    sent: 'We sent a mail to the new address. Open the link in it within 24 hours; until then nothing changes.',
  },
  show: (ctx, visit) => show(needs, ctx, visit),

  async submit(ctx, visit, form) {
    const typed = (form.get('email') ?? '').trim();
    if (typed === '') return show(needs, ctx, visit, { typed, error: missing });
    try {
      const { account, session } = visit;
      await needs.registration.changeEmail(account.id, typed, metaOf(ctx), (session.authTime ?? 0) * 1000);
    } catch (error) {
      const message = error instanceof AppError && error.details.fields?.email;
      if (!message) throw error;
      return show(needs, ctx, visit, { typed, error: message });
    }
    seeDone(ctx, path, 'sent');
  },
});
