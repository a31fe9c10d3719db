import Router from '@koa/router';
import type { Context } from 'koa';
import { checkMailRoute } from './check-mail.ts';
import { confirmEmailRoute } from './confirm-email.ts';
import { createEntryCookie } from './entry-cookie.ts';
import { forgotPasswordRoute } from './forgot-password.ts';
import { invitationRoute } from './invitation.ts';
import { createLinkToken } from './link-token.ts';
import { recoverRoute } from './recover.ts';
import { registerRoute } from './register.ts';
import { resetPasswordRoute } from './reset-password.ts';
import type { EntrySurface } from './surface.ts';
import { verifyEmailRoute } from './verify-email.ts';

const routes = [
  registerRoute,
  invitationRoute,
  checkMailRoute,
  verifyEmailRoute,
  forgotPasswordRoute,
  resetPasswordRoute,
  confirmEmailRoute,
  recoverRoute,
];

/**
 * The pages around an account that need no sign-in. Opening one changes nothing; every post has its form checked before
 * anything is counted or looked up.
 */
export function createEntryRoutes(
  parts: Omit<EntrySurface, 'cookie' | 'link'> & { readonly secureCookies: boolean },
): Router {
  const { secureCookies, ...rest } = parts;
  const surface = { ...rest, cookie: createEntryCookie(secureCookies), link: createLinkToken(secureCookies) };
  const router = new Router();
  for (const { path, show, submit } of routes) {
    router.get(path, (ctx: Context) => show(surface, ctx));
    router.post(path, async (ctx: Context) => submit(surface, ctx, await surface.forms.read(ctx)));
  }
  return router;
}
