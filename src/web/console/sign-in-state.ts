import type { Context } from 'koa';
import type { Clock } from '../../shared/clock.ts';
import type { SecretRing } from '../../shared/crypto.ts';
import { randomSecret } from '../../shared/ids.ts';
import { returnPath } from './return-path.ts';

interface Needs {
  readonly secrets: SecretRing;
  readonly clock: Clock;
  readonly issuer: string;
  readonly secureCookies: boolean;
  /** How long a sign-in may take, seconds. */
  readonly lifeSeconds: number;
}

/** The `state` of our own authorization requests: where to go back to, bound to the browser that started. */
export interface SignInState {
  /** Gives the browser its cookie when it has none, so that several tabs share one. */
  issue(ctx: Context, returnTo: string): string;
  /** The path to go back to; undefined for a state that is old, forged, or another browser's. */
  read(ctx: Context, state: string): string | undefined;
}

const purpose = 'console-sign-in';
const soundCookie = /^[A-Za-z0-9_-]{43}$/;

const encode = (content: readonly [string, number]): string =>
  Buffer.from(JSON.stringify(content)).toString('base64url');

/** Makes states that need no store: what they say is signed together with the browser's cookie. */
export function createSignInState({ secrets, clock, issuer, secureCookies, lifeSeconds }: Needs): SignInState {
  const name = secureCookies ? '__Host-sp_console' : 'sp_console';

  const browserOf = (ctx: Context): string | undefined => {
    const value = ctx.cookies.get(name, { signed: false });
    return value !== undefined && soundCookie.test(value) ? value : undefined;
  };

  return {
    issue(ctx, returnTo) {
      const known = browserOf(ctx);
      const browser = known ?? randomSecret();
      if (known === undefined) {
        const attributes = { httpOnly: true, sameSite: 'lax', path: '/', signed: false } as const;
        ctx.cookies.set(name, browser, { ...attributes, secure: secureCookies });
      }
      const content = encode([returnTo, clock.now() + lifeSeconds * 1000]);
      return `${content}.${secrets.mac(purpose, `${browser}.${content}`)}`;
    },

    read(ctx, state) {
      const browser = browserOf(ctx);
      const [content, mac, ...rest] = state.split('.');
      if (!browser || !content || !mac || rest.length > 0) return undefined;
      if (!secrets.verifyMac(purpose, `${browser}.${content}`, mac)) return undefined;
      const [path, until] = JSON.parse(Buffer.from(content, 'base64url').toString('utf8')) as [string, number];
      return until > clock.now() ? returnPath(path, issuer) : undefined;
    },
  };
}
