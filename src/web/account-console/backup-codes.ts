import type { Context } from 'koa';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import type { SecuritySurface } from './security-surface.ts';

const codePattern = /^[0-9a-z-]{8,40}$/;

/** Gives back what the page itself was sent with: the codes are stored nowhere in clear. */
function download(ctx: Context, form: Form): void {
  const codes = (form.get('codes') ?? '')
    .split(/\s+/)
    .filter((code) => codePattern.test(code))
    .slice(0, 20);
  ctx.attachment('sallyport-backup-codes.txt');
  ctx.type = 'text/plain';
  ctx.body = `Sallyport backup codes. Each opens the second door once.\r\n\r\n${codes.join('\r\n')}\r\n`;
}

/** Shows codes in the answer to the post that made them, and never again. */
export async function showCodes(
  { pages }: SecuritySurface,
  ctx: Context,
  { account, shell }: AccountVisit,
  codes: readonly string[],
  first: boolean,
): Promise<void> {
  await pages.show(ctx, 'account-backup-codes', { shell, who: account.email, codes, left: codes.length, first });
}

async function submit(surface: SecuritySurface, ctx: Context, visit: AccountVisit, form: Form): Promise<void> {
  const action = form.get('action');
  if (action === 'download') return download(ctx, form);
  if (action === 'continue') return seeDone(ctx, '/two-step', 'stored');
  const codes = await surface.settings.regenerateBackupCodes(visit.account, metaOf(ctx));
  return showCodes(surface, ctx, visit, codes, false);
}

/** The page where backup codes are made anew. */
export const backupCodesPage = (surface: SecuritySurface): AccountPage => ({
  path: '/two-step/backup-codes',
  fresh: true,
  async show(ctx, { account, shell, done }) {
    const { factors, secondFactor } = await surface.settings.securityState(account);
    // Without a second factor there is nothing that codes would stand in for.
    if (!secondFactor) return void ctx.redirect('/account/two-step');
    const model = { shell, done, who: account.email, codes: [], left: factors.backupCodes };
    await surface.pages.show(ctx, 'account-backup-codes', model);
  },
  submit: (ctx, visit, form) => submit(surface, ctx, visit, form),
});
