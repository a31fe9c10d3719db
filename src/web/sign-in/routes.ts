import { setTimeout as delay } from 'node:timers/promises';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { KeptAnswer } from '../../oidc/index.ts';
import { AppError } from '../../shared/errors.ts';
import { routeOf } from '../http/routes.ts';
import { showConsent, submitConsent } from './consent.ts';
import { type SignInSurface, seeOther, type Visit, visitOf, visitTo } from './context.ts';
import { showEmailSignIn, submitEmailSignIn } from './email-sign-in.ts';
import { showBackupCodes, showEnrolment, submitBackupCodes, submitEnrolment } from './enrolment.ts';
import {
  showChangePassword,
  showOfferPasskey,
  showUnverified,
  submitChangePassword,
  submitOfferPasskey,
  submitUnverified,
} from './last-steps.ts';
import { passkeyOptions, showLogin, submitLogin } from './login.ts';
import { createRemember, type Remember } from './remember.ts';
import { type SecondDoorName, showSecondFactor, submitSecondFactor } from './second-factor.ts';
import { showSelectAccount, submitSelectAccount } from './select-account.ts';
import { dispatch, pageOfPrompt } from './steps.ts';

type Handler = (surface: SignInSurface, remember: Remember, visit: Visit) => Promise<void>;

interface PageRoutes {
  readonly path: string;
  readonly show: Handler;
  readonly submit: Handler;
}

const secondDoor = (path: string, page: SecondDoorName): PageRoutes => ({
  path,
  show: (surface, remember, visit) => showSecondFactor(surface, remember, visit, page),
  submit: (surface, remember, visit) => submitSecondFactor(surface, remember, visit, page),
});

const pages: readonly PageRoutes[] = [
  { path: 'login', show: showLogin, submit: submitLogin },
  secondDoor('second-factor', 'totp'),
  secondDoor('passkey', 'passkey'),
  secondDoor('backup-code', 'backup-code'),
  secondDoor('email-code', 'email-code'),
  { path: 'email', show: showEmailSignIn, submit: submitEmailSignIn },
  { path: 'verify-email', show: showUnverified, submit: submitUnverified },
  { path: 'change-password', show: showChangePassword, submit: submitChangePassword },
  { path: 'offer-passkey', show: showOfferPasskey, submit: submitOfferPasskey },
  { path: 'enroll', show: showEnrolment, submit: submitEnrolment },
  { path: 'backup-codes', show: showBackupCodes, submit: submitBackupCodes },
  { path: 'select-account', show: showSelectAccount, submit: submitSelectAccount },
  { path: 'consent', show: showConsent, submit: submitConsent },
];

const isLost = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'expired' || error.code === 'conflict');

/** Where the browser goes when the same form, sent at the same moment, was answered first; that may take a moment. */
async function answerOf(surface: SignInSurface, ctx: Context): Promise<KeptAnswer | undefined> {
  for (let look = 0; look < 10; look += 1) {
    const { interactions, forms } = surface;
    const interaction = await interactions.get(ctx, String(ctx.params.uid), forms.markOf).catch(() => undefined);
    if (!interaction || interaction.answered !== undefined) return interaction?.answered;
    await delay(50);
  }
  return undefined;
}

/** The same answer once more. @throws AppError `forbidden` when it has cookies and the form is not one of our pages'. */
async function answer({ forms }: SignInSurface, ctx: Context, { location, cookies }: KeptAnswer): Promise<void> {
  if (cookies.length > 0) {
    await forms.read(ctx);
    ctx.append('set-cookie', [...cookies]);
  }
  seeOther(ctx, location);
}

/** Where the app's request arrives. Nearly always the password is next, so its page is shown here without another hop. */
async function enter(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  if (await pageOfPrompt(surface, visit)) return dispatch(surface, remember, visit);
  return showLogin(surface, remember, visit);
}

/** The sign-in's own pages, and what goes around the protocol. */
export interface SignInPages {
  readonly router: Router;
  /**
   * Shows the first page in the answer to the app's request, without sending the browser to it. Goes outside of the unit of
   * work, so that the page is shown when what it stands on is stored.
   */
  readonly arrival: Middleware;
}

/** The pages of one sign-in, below `/sign-in/:uid`. */
export function createSignInPages(surface: SignInSurface): SignInPages {
  const router = new Router({ prefix: '/sign-in/:uid' });
  const remember = createRemember(surface.secureCookies);
  const visited = (handler: Handler) => async (ctx: Context) => {
    const visit = await visitOf(surface, ctx);
    // A form that was sent twice, or a page that is done: what was answered stays, and the browser goes on from there.
    if (visit.interaction.answered !== undefined) return answer(surface, ctx, visit.interaction.answered);
    try {
      await handler(surface, remember, visit);
    } catch (error) {
      const next = isLost(error) ? await answerOf(surface, ctx) : undefined;
      if (next === undefined) throw error;
      await answer(surface, ctx, next);
    }
  };

  router.get('sign-in', '/', visited(enter));
  router.post('sign-in:submit', '/', visited(submitLogin));
  router.get('sign-in:passkey-options', '/passkey-options', visited(passkeyOptions));
  for (const { path, show, submit } of pages) {
    router.get(`sign-in:${path}`, `/${path}`, visited(show));
    router.post(`sign-in:${path}:submit`, `/${path}`, visited(submit));
  }

  const arrival: Middleware = async (ctx, next) => {
    await next();
    if (ctx.method !== 'GET' || ctx.status !== 303 || routeOf(ctx) !== 'authorization') return;
    const interaction = await surface.interactions.begun(ctx);
    if (!interaction) return;
    ctx.remove('location');
    await enter(surface, remember, await visitTo(surface, ctx, interaction));
  };
  return { router, arrival };
}
