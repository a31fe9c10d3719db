import type { Context } from 'koa';

/** Keeps the "Keep me signed in" tick from the first page to the last, in a cookie that only this sign-in's pages get. */
export interface Remember {
  write(ctx: Context, path: string, value: boolean): void;
  read(ctx: Context): boolean;
}

export function createRemember(secure: boolean): Remember {
  const name = secure ? '__Secure-sp_keep' : 'sp_keep';
  // A sign-in can end in the request that wrote it, before the browser has the cookie.
  const written = new WeakMap<Context, boolean>();
  return {
    write(ctx, path, value) {
      written.set(ctx, value);
      ctx.cookies.set(name, value ? 'yes' : 'no', {
        path,
        httpOnly: true,
        sameSite: 'lax',
        secure,
        signed: true,
        overwrite: true,
      });
    },
    read: (ctx) => written.get(ctx) ?? ctx.cookies.get(name, { signed: true }) === 'yes',
  };
}
