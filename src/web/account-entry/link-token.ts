import type { Context } from 'koa';
import { seeOther } from '../sign-in/context.ts';

/** What a link did, as its page says it once and again. */
export type Done = Readonly<Record<string, unknown>> & { readonly state: string };

/** What this browser has of a link: its token, or what became of it. */
export interface LinkState {
  readonly token?: string;
  readonly done?: Done;
}

/** The token of a mailed link, on its way from the address bar to the form of the page behind the link. */
export interface LinkToken {
  /**
   * Takes the token out of the address: into a cookie that this page alone gets, with a redirect to the bare path. So it
   * is in no history entry and no bookmark, also without JavaScript, and a page that is loaded again still has it.
   */
  take(ctx: Context, token: string | string[], path: string): void;
  read(ctx: Context): LinkState;
  /**
   * Puts what the link did into the place of its token and shows that at the bare path: an answer to the post itself
   * would be a page that going back and forth asks to send again.
   */
  settle(ctx: Context, path: string, done: Done): void;
  /** Forgets it, when the way goes on elsewhere. */
  clear(ctx: Context, path: string): void;
}

const soundToken = /^[\w-]{43}$/;
const donePrefix = 'done.';
const doneLife = 600_000;

/** A token lasts until the browser closes: the link itself says how long it works. */
export function createLinkToken(secure: boolean): LinkToken {
  const name = secure ? '__Secure-sp_link' : 'sp_link';
  const write = (ctx: Context, value: string | null, path: string, maxAge?: number): void => {
    const attributes = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const;
    ctx.cookies.set(name, value, { ...attributes, path, secure, ...(maxAge !== undefined && { maxAge }) });
  };
  return {
    take(ctx, token, path) {
      // A link that was cut must not lead to the one that was opened before.
      write(ctx, typeof token === 'string' && soundToken.test(token) ? token : null, path);
      seeOther(ctx, path);
    },
    read(ctx) {
      const value = ctx.cookies.get(name, { signed: true });
      if (!value) return {};
      if (!value.startsWith(donePrefix)) return { token: value };
      return { done: JSON.parse(Buffer.from(value.slice(donePrefix.length), 'base64url').toString()) as Done };
    },
    settle(ctx, path, done) {
      write(ctx, `${donePrefix}${Buffer.from(JSON.stringify(done)).toString('base64url')}`, path, doneLife);
      seeOther(ctx, path);
    },
    clear: (ctx, path) => write(ctx, null, path),
  };
}
