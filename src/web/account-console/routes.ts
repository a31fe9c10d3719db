import Router from '@koa/router';
import type { Context } from 'koa';
import type { ConsoleGuard, ConsoleRule, Visitor } from '../console/console-guard.ts';
import type { FormGuard } from '../page-writer.ts';
import type { AccountLimits } from './account-limits.ts';
import { type AccountPage, type AccountVisit, accountHome, accountShell } from './account-pages.ts';

interface Needs {
  readonly guard: ConsoleGuard;
  readonly forms: FormGuard;
  readonly limits: Pick<AccountLimits, 'change'>;
  /** Seconds that the sign-in behind a change may be old; 120 or more. */
  readonly freshSeconds: number;
}

/** The guard would never be satisfied with less. Seconds. */
const shortest = 60;

function noticeOf(ctx: Context, { notices = {} }: AccountPage): string | undefined {
  const { done } = ctx.query;
  return typeof done === 'string' && Object.hasOwn(notices, done) ? notices[done] : undefined;
}

/**
 * The account console: every page behind the guard, every post with its form checked. A page that wants a recent sign-in
 * is shown while half of the time is left, so that what is typed into it is not refused for having taken a minute.
 */
export function createAccountRoutes(
  { guard, forms, limits, freshSeconds }: Needs,
  pages: readonly AccountPage[],
): Router {
  const router = new Router();
  const existing = new Set(pages.map(({ path }) => path));

  for (const page of pages) {
    const { path, fresh = false } = page;
    const visitOf = (ctx: Context, visitor: Visitor): AccountVisit => ({
      ...visitor,
      shell: accountShell(visitor, path, existing),
      done: noticeOf(ctx, page),
    });
    const rule = (seconds: number): ConsoleRule => ({
      home: accountHome,
      ...(fresh && { maxAge: Math.max(shortest, seconds) }),
    });
    router.get(
      `account${path}`,
      `${accountHome}${path}`,
      guard(rule(Math.floor(freshSeconds / 2)), (ctx, visitor) => page.show(ctx, visitOf(ctx, visitor))),
    );
    if (!page.submit) continue;
    router.post(
      `${accountHome}${path}`,
      guard(rule(freshSeconds), async (ctx, visitor) => {
        const form = await forms.read(ctx);
        await limits.change(visitor.account.id);
        await page.submit?.(ctx, visitOf(ctx, visitor), form);
      }),
    );
  }
  return router;
}
