import type { Context } from 'koa';
import type { Account, Accounts } from '../../accounts/index.ts';
import { noteAuditSession } from '../../audit/index.ts';
import type { BrowserSessions, ConsoleSignIn, CurrentSession } from '../../oidc/index.ts';
import { type Clock, epochSeconds } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { PageWriter } from '../page-writer.ts';
import { nameOf } from './console-shell.ts';
import { returnPath } from './return-path.ts';
import type { SignInState } from './sign-in-state.ts';

/** Whoever is signed in to this browser, as of this request. */
export interface Visitor {
  readonly account: Account;
  readonly session: CurrentSession;
}

/** What a console page asks for, beside a live session of an active account. */
export interface ConsoleRule {
  /** Where a sign-in leads when the address itself cannot be gone back to. */
  readonly home: string;
  /** A role that the account must have. */
  readonly role?: string;
  /** Seconds that the last sign-in may be old; 60 or more, or nobody would be quick enough. */
  readonly maxAge?: number;
}

export type ConsoleHandler = (ctx: Context, visitor: Visitor) => Promise<void>;

/** Wraps a handler in the checks of its rule. */
export type ConsoleGuard = (rule: ConsoleRule, handler: ConsoleHandler) => (ctx: Context) => Promise<void>;

interface Needs {
  readonly sessions: Pick<BrowserSessions, 'current' | 'signInUrl'>;
  readonly state: SignInState;
  readonly accounts: Pick<Accounts, 'find'>;
  /** Whether the account has a second factor, of whatever kind. */
  readonly hasSecondFactor: (id: AccountId) => Promise<boolean>;
  readonly pages: PageWriter;
  readonly clock: Clock;
  readonly issuer: string;
}

/** Sends the browser through the sign-in pages and back to `returnTo`. */
export function startSignIn(
  { sessions, state }: Pick<Needs, 'sessions' | 'state'>,
  ctx: Context,
  returnTo: string,
  wanted: Omit<ConsoleSignIn, 'state'> = {},
): void {
  ctx.status = 303;
  ctx.redirect(sessions.signInUrl({ ...wanted, state: state.issue(ctx, returnTo) }));
}

/** A page can wait for a sign-in; what a form wants to do cannot, because it would be done by whoever signs in. */
function demandSignIn(needs: Needs, ctx: Context, home: string, wanted: Omit<ConsoleSignIn, 'state'>): void {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') {
    startSignIn(needs, ctx, returnPath(ctx.url, needs.issuer) ?? home, wanted);
    return;
  }
  throw new AppError(
    'unauthenticated',
    'You are not signed in any more, or it was too long ago. Nothing was changed. Open the page again to sign in.',
  );
}

async function deny({ pages }: Needs, ctx: Context, { account }: Visitor, { home }: ConsoleRule): Promise<void> {
  ctx.state.refusal = { code: 'forbidden', reason: `${account.id} lacks the role` };
  const reference = String(ctx.state.requestId ?? '');
  await pages.show(ctx, 'denied', { who: nameOf(account), reference, returnTo: home }, 403);
}

async function missing(
  { hasSecondFactor, clock }: Needs,
  { account, session }: Visitor,
  { maxAge }: ConsoleRule,
): Promise<Omit<ConsoleSignIn, 'state'> | undefined> {
  const secondFactor = session.acr !== 'aal2' && (await hasSecondFactor(account.id));
  const tooOld = maxAge !== undefined && epochSeconds(clock) - (session.authTime ?? 0) > maxAge;
  if (!secondFactor && !tooOld) return undefined;
  return { ...(secondFactor && { acr: 'aal2' }), ...(tooOld && { maxAge }) };
}

/**
 * Makes the guard of our consoles. Each request asks the session and the account again, so a logout, a suspension or a
 * lost role counts with the next click (ASVS 7.4.2). Who has a second factor needs it here.
 */
export const createConsoleGuard =
  (needs: Needs): ConsoleGuard =>
  (rule, handler) =>
  async (ctx) => {
    const session = await needs.sessions.current(ctx);
    const account = session && (await needs.accounts.find(session.accountId));
    if (!session || account?.status !== 'active') return demandSignIn(needs, ctx, rule.home, {});
    const visitor = { account, session };
    if (rule.role !== undefined && !account.roles.includes(rule.role)) return deny(needs, ctx, visitor, rule);
    const wanted = await missing(needs, visitor, rule);
    if (wanted) return demandSignIn(needs, ctx, rule.home, wanted);
    noteAuditSession(session.handle);
    ctx.state.person = account.id;
    return handler(ctx, visitor);
  };
