import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { sha256 } from '../shared/crypto.ts';

/** The browser's stable id, and its tokens in the place of a second factor. */
export interface DeviceCookie {
  /** The id, when the browser has one. It identifies and proves nothing: never take it for a credential. */
  read(ctx: Context): string | undefined;
  /** The id, given to the browser when it has none. For pages only. */
  ensure(ctx: Context): string;
  /** The same, and its 400 days start again; for the end of a sign-in. */
  renew(ctx: Context): string;
  /** The token with which this browser is remembered for an account. */
  readRemembered(ctx: Context, accountId: string): string | undefined;
  /** Keeps the token for so many days, or takes it away when it is undefined. */
  writeRemembered(ctx: Context, accountId: string, token: string | undefined, days: number): void;
}

/** As long as browsers keep a cookie. */
const longest = 400 * 86_400_000;
const soundId = /^[A-Za-z0-9_-]{22}$/;

/**
 * Cookies that outlive a sign-in. They are `__Host-` where the issuer is https, so that no neighbour domain can plant a
 * device, and not signed: the id is 128 random bits of no value, the token is compared with what is stored.
 */
export function createDeviceCookie(secure: boolean): DeviceCookie {
  const prefix = secure ? '__Host-' : '';
  const name = `${prefix}sp_device`;
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure, signed: false, overwrite: true } as const;
  const given = new WeakMap<object, string>();

  const read = (ctx: Context): string | undefined => {
    const value = given.get(ctx.req) ?? ctx.cookies.get(name, { signed: false });
    return value !== undefined && soundId.test(value) ? value : undefined;
  };
  const write = (ctx: Context, id: string): string => {
    given.set(ctx.req, id);
    ctx.cookies.set(name, id, { ...attributes, maxAge: longest });
    return id;
  };
  // One browser may have several accounts, each with its own token.
  const nameOf = (accountId: string): string => `${prefix}sp_known_${sha256(accountId).slice(0, 10)}`;

  return {
    read,
    ensure: (ctx) => read(ctx) ?? write(ctx, randomBytes(16).toString('base64url')),
    renew: (ctx) => write(ctx, read(ctx) ?? randomBytes(16).toString('base64url')),
    readRemembered: (ctx, accountId) => ctx.cookies.get(nameOf(accountId), { signed: false }) || undefined,
    writeRemembered(ctx, accountId, token, days) {
      const maxAge = token === undefined ? 0 : days * 86_400_000;
      ctx.cookies.set(nameOf(accountId), token ?? '', { ...attributes, maxAge });
    },
  };
}
