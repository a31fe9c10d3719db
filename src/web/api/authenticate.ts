import type { Context } from 'koa';
import { noteAuditSession } from '../../audit/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import { type Clock, epochSeconds } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import type { AccountId } from '../../shared/ids.ts';
import type { AccountLimits } from '../account-console/account-limits.ts';
import { authenticateApp, type BearerNeeds, challenge } from './bearer.ts';
import { type BrowserNeeds, findBrowserCaller } from './browser-caller.ts';
import type { Access, PersonCaller } from './operation.ts';

/** How callers are found out, and what the sensitive operations ask of them. */
export interface CallerNeeds extends BearerNeeds, BrowserNeeds {
  readonly clock: Clock;
  readonly sessions: Pick<Sessions, 'handleOf'>;
  /** Whether the account has a second factor, of whatever kind. */
  readonly hasSecondFactor: (id: AccountId) => Promise<boolean>;
  /** Seconds that the sign-in behind a sensitive operation may be old. */
  readonly freshSeconds: number;
  /** Bounds the changes of one account. */
  readonly limits: Pick<AccountLimits, 'change'>;
}

const minutes = (seconds: number): string => {
  const whole = Math.max(1, Math.floor(seconds / 60));
  return whole === 1 ? 'one minute' : `${whole} minutes`;
};

/** The challenge of RFC 9470 §3: a client signs the person in again, with these parameters, and repeats the request. */
function demand(
  { issuer, freshSeconds }: CallerNeeds,
  ctx: Context,
  { scope, recent }: Access,
  acr: 'aal1' | 'aal2',
): never {
  const problem = acr === 'aal2' ? 'This needs a sign-in with the second factor' : 'This needs a more recent sign-in';
  challenge(ctx, issuer, {
    error: 'insufficient_user_authentication',
    error_description: problem,
    scope,
    ...(recent && { max_age: String(freshSeconds) }),
    acr_values: acr,
  });
  const when = recent ? `, not more than ${minutes(freshSeconds)} ago` : '';
  const how = acr === 'aal2' ? ' with the second factor' : '';
  throw new AppError('unauthenticated', `Nothing was changed. This needs a sign-in${how}${when}.`);
}

async function checkStrength(needs: CallerNeeds, ctx: Context, access: Access, caller: PersonCaller): Promise<void> {
  const byBrowser = caller.by.kind === 'browser';
  // What an app may do at any time was settled when it got its token; a page of ours asks as the consoles do.
  if (!byBrowser && !access.recent) return;
  const secondFactor = await needs.hasSecondFactor(caller.account.id);
  const wanted = secondFactor ? 'aal2' : 'aal1';
  const tooOld = access.recent && epochSeconds(needs.clock) - (caller.authTime ?? 0) > needs.freshSeconds;
  if (tooOld || (secondFactor && caller.acr !== 'aal2')) demand(needs, ctx, access, wanted);
}

const safeMethods = new Set(['GET', 'HEAD']);

/** Says in which session an app calls, unless it only reads: then nothing is written down that could name it. */
async function noteSession({ sessions }: CallerNeeds, ctx: Context, access: Access, { account, by }: PersonCaller) {
  if (by.kind !== 'app' || by.grantId === undefined) return;
  if (safeMethods.has(ctx.method) && !access.recent) return;
  noteAuditSession(await sessions.handleOf({ accountId: account.id, grantId: by.grantId }));
}

/**
 * Finds out who calls, and whether they may. @throws AppError `unauthenticated` or `forbidden`, with the challenge that
 * tells a client which token it needs.
 */
export async function authenticate(
  needs: CallerNeeds,
  ctx: Context,
  access: Access,
): Promise<PersonCaller | undefined> {
  if (access.kind !== 'person') return undefined;
  const caller = (await findBrowserCaller(needs, ctx)) ?? (await authenticateApp(needs, ctx, access.scope));
  await checkStrength(needs, ctx, access, caller);
  await noteSession(needs, ctx, access, caller);
  return caller;
}
