import Router from '@koa/router';
import type { Context } from 'koa';
import { type BrowserSessions, consoleCallbackPath } from '../../oidc/index.ts';
import { AppError } from '../../shared/errors.ts';
import { startSignIn } from './console-guard.ts';
import { returnPath } from './return-path.ts';
import type { SignInState } from './sign-in-state.ts';

interface Needs {
  readonly sessions: BrowserSessions;
  readonly state: SignInState;
  readonly issuer: string;
}

const single = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

function comeBack({ state, issuer }: Needs, ctx: Context): void {
  const { query } = ctx;
  const given = single(query.state);
  const returnTo = given === undefined ? undefined : state.read(ctx, given);
  if (returnTo === undefined || query.iss !== issuer) {
    throw new AppError(
      'expired',
      'This sign-in has expired, or began in another browser. Nothing is lost: open the page again.',
      { reason: 'state or iss' },
    );
  }
  const error = single(query.error);
  if (error !== undefined && error !== 'access_denied') {
    throw new AppError('expired', 'The sign-in was not completed. Open the page again to repeat it.', {
      reason: error.slice(0, 100),
    });
  }
  ctx.status = 303;
  // Whoever cancelled does not want to be asked again at once. The code is not redeemed: the session is what counts.
  ctx.redirect(error === undefined ? returnTo : '/');
}

function chooseAccount(needs: Needs, ctx: Context): void {
  const returnTo = returnPath(single(ctx.query.return_to) ?? '', needs.issuer);
  if (returnTo === undefined) throw new AppError('invalid_input', 'There is no page of ours to go back to.');
  startSignIn(needs, ctx, returnTo, { chooseAccount: true });
}

/** The two stops of a sign-in for our consoles: the way in with another account, and the way back. */
export function createConsoleRoutes(needs: Needs): Router {
  const router = new Router();
  router.get('console:callback', consoleCallbackPath, (ctx: Context) => comeBack(needs, ctx));
  router.get('console:choose-account', '/console/choose-account', (ctx: Context) => chooseAccount(needs, ctx));
  return router;
}
