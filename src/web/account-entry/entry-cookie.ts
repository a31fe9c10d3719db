import type { Context } from 'koa';
import { randomSecret } from '../../shared/ids.ts';

/** What this browser asked for on the pages around an account, so that the page behind a mailed link knows it again. */
export interface EntryState {
  /** The secret that shows that this browser registered. */
  readonly browser: string;
  /** The uid of the sign-in that waits for it. */
  readonly signIn?: string | undefined;
  /** What was typed, for the page that says where the mail went. */
  readonly login?: string | undefined;
  readonly asked?: 'registered' | 'resent' | 'reset' | undefined;
}

export interface EntryCookie {
  read(ctx: Context): EntryState | undefined;
  /** Keeps it for a day, as long as a link in a mail works. The browser keeps the secret that it has. */
  write(ctx: Context, state: Omit<EntryState, 'browser'>): EntryState;
  /** The secret of this browser, known or new; {@link EntryCookie.write} in the same request sends it. */
  browserOf(ctx: Context): string;
}

const day = 86_400_000;
const soundSecret = /^[\w-]{43}$/;
const longest = 320;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined;

/**
 * Signed and `__Host-`: a stranger who could plant the cookie of their own browser, from a neighbour domain, would have
 * their registration confirmed by a click of the address's owner. `Lax`, because the mail program opens the link.
 */
export function createEntryCookie(secure: boolean): EntryCookie {
  const name = secure ? '__Host-sp_entry' : 'sp_entry';
  const fresh = new WeakMap<object, string>();

  const read = (ctx: Context): EntryState | undefined => {
    const value = ctx.cookies.get(name, { signed: true });
    if (value === undefined) return undefined;
    const { browser, signIn, login, asked } = JSON.parse(Buffer.from(value, 'base64url').toString()) as EntryState;
    return soundSecret.test(browser) ? { browser, signIn, login, asked } : undefined;
  };
  const browserOf = (ctx: Context): string => {
    const browser = fresh.get(ctx.req) ?? read(ctx)?.browser ?? randomSecret();
    fresh.set(ctx.req, browser);
    return browser;
  };

  return {
    read,
    browserOf,
    write(ctx, { signIn, login, asked }) {
      const state: EntryState = { browser: browserOf(ctx), signIn, login: textOf(login), asked };
      const value = Buffer.from(JSON.stringify(state)).toString('base64url');
      const attributes = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const;
      ctx.cookies.set(name, value, { ...attributes, path: '/', secure, maxAge: day });
      return state;
    },
  };
}
