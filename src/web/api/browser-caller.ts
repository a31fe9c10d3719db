import type { Context } from 'koa';
import type { Accounts } from '../../accounts/index.ts';
import { noteAuditSession } from '../../audit/index.ts';
import type { BrowserSessions } from '../../oidc/index.ts';
import { AppError } from '../../shared/errors.ts';
import { type Csrf, csrfField } from '../http/csrf.ts';
import type { ByBrowser, PersonCaller } from './operation.ts';

/** How a page of our own origin calls: with the cookie of the browser's session. */
export interface BrowserNeeds {
  readonly issuer: string;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly browser: {
    readonly sessions: Pick<BrowserSessions, 'current'>;
    readonly csrf: Csrf;
    readonly renewSession: (ctx: Context, proof: Parameters<ByBrowser['renew']>[0]) => Promise<void>;
  };
}

/** Name of the header that shows that a change comes from a page of ours. */
export const csrfHeader = 'X-CSRF-Token';

const safeMethods = new Set(['GET', 'HEAD']);

/**
 * Whether the browser says that another origin asks, a neighbour host among them. Such a request has no session here: the
 * cookie alone, which the browser may have added by itself, is never a reason to answer it.
 */
function isForeign(ctx: Context, issuer: string): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  if (site !== '' && site !== 'same-origin' && !(site === 'none' && safeMethods.has(ctx.method))) return true;
  return origin !== '' && origin !== issuer && !(origin === 'null' && site === 'same-origin');
}

function checkToken(ctx: Context, csrf: Csrf): void {
  if (safeMethods.has(ctx.method)) return;
  try {
    csrf.check(ctx as never, new Map([[csrfField, ctx.get(csrfHeader)]]));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { reason } = error.details;
    const message = `Send the ${csrfHeader} that the answer to GET /api/v1/me gave this browser.`;
    throw new AppError('forbidden', message, reason === undefined ? {} : { reason });
  }
}

/**
 * The person who is signed in to the browser that calls, from a page of our own origin; undefined when there is none.
 * No other origin may read the answer. @throws AppError `forbidden` for a change without its token
 */
export async function findBrowserCaller(
  { issuer, accounts, browser }: BrowserNeeds,
  ctx: Context,
): Promise<PersonCaller | undefined> {
  if (ctx.get('Authorization') !== '' || isForeign(ctx, issuer)) return undefined;
  const session = await browser.sessions.current(ctx);
  const account = session && (await accounts.find(session.accountId));
  if (!session || account?.status !== 'active') return undefined;
  ctx.remove('Access-Control-Allow-Origin');
  ctx.state.person = account.id;
  checkToken(ctx, browser.csrf);
  noteAuditSession(session.handle);
  const { uid, acr, authTime } = session;
  return {
    account,
    by: {
      kind: 'browser',
      uid,
      csrfToken: () => browser.csrf.issue(ctx as never),
      renew: (proof) => browser.renewSession(ctx, proof),
    },
    ...(acr !== undefined && { acr }),
    ...(authTime !== undefined && { authTime }),
  };
}
