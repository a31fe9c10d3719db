import type { Context } from 'koa';
import type { AccountAuthenticatorPage } from '../account-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { type AccountPage, type AccountVisit, seeDone } from './account-pages.ts';
import { showCodes } from './backup-codes.ts';
import { bindingOf, type SecuritySurface } from './security-surface.ts';

/** Loaded by the first set-up: a start does not wait for it. */
const drawQrCode = async (uri: string): Promise<string> =>
  (await import('qrcode')).toString(uri, { type: 'svg', margin: 0 });

async function show(
  { settings, pages }: SecuritySurface,
  ctx: Context,
  visit: AccountVisit,
  error?: AccountAuthenticatorPage['error'],
): Promise<void> {
  const { account, shell, done } = visit;
  const { secret, uri, replaces } = await settings.beginTotp(account, bindingOf(visit, 'totp'));
  const model = { shell, done, who: account.email, key: secret, uri, qrSvg: await drawQrCode(uri), replaces, error };
  await pages.show(ctx, 'account-authenticator', model, error === undefined ? 200 : 422);
}

async function submit(surface: SecuritySurface, ctx: Context, visit: AccountVisit, form: Form): Promise<void> {
  const code = form.get('code') ?? '';
  if (code.trim() === '') return show(surface, ctx, visit, 'missing');
  const binding = bindingOf(visit, 'totp');
  const result = await surface.settings.confirmTotp(visit.account, { binding, code }, metaOf(ctx));
  if (result.outcome === 'wrong_code') return show(surface, ctx, visit, 'mismatch');
  if (result.outcome === 'expired') return show(surface, ctx, visit, 'expired');
  // The code was shown just now: this session need not show another one for the next page.
  await surface.renewSession(ctx, { secondFactor: 'otp' });
  if (result.backupCodes.length > 0) return showCodes(surface, ctx, visit, result.backupCodes, true);
  seeDone(ctx, '/two-step', result.replaced ? 'replaced' : 'on');
}

/** The page where an authenticator app is set up or replaced. */
export const authenticatorPage = (surface: SecuritySurface): AccountPage => ({
  path: '/two-step/authenticator',
  fresh: true,
  show: (ctx, visit) => show(surface, ctx, visit),
  submit: (ctx, visit, form) => submit(surface, ctx, visit, form),
});
