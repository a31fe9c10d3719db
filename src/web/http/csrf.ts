import { browserCookieName } from '../../shared/browser-cookie.ts';
import { type SecretRing, sha256 } from '../../shared/crypto.ts';
import { AppError } from '../../shared/errors.ts';
import { randomSecret } from '../../shared/ids.ts';
import type { EdgeContext } from './context.ts';
import type { Form } from './form.ts';

/** Name of the hidden field that carries the token. */
export const csrfField = 'csrf';

const purpose = 'csrf';
const soundCookie = /^[A-Za-z0-9_-]{43}$/;

const notOurs =
  'This form was not sent from our own page, or its cookie is gone. Allow cookies for this site, reload the page and send it again.';
const ofAnother =
  'This form was not made for the account that is signed in to this browser now. Nothing was changed. Open the page again.';

const refuse = (reason: string, text = notOurs): never => {
  throw new AppError('forbidden', text, { reason });
};

export interface Csrf {
  /** The token for a form on this page, in a console one for its account alone. Gives the browser its cookie when it has none. */
  issue(ctx: EdgeContext): string;
  /** @throws AppError `forbidden` unless the form came from one of our pages in this browser. */
  check(ctx: EdgeContext, form: Form): void;
  /**
   * A mark of this form as this browser sends it; the same one sent again has the same. No other browser can make it, as
   * no neighbour domain can plant the cookie where the issuer is https. It opens nothing.
   */
  markOf(ctx: EdgeContext): string | undefined;
}

/**
 * Forms prove where they come from twice: by a token that only a page of ours could have for this browser's cookie,
 * and by what the browser itself says (Sec-Fetch-Site, Origin). The cookie stays for the browser session, so that
 * a second tab never spoils the form in the first.
 */
export function createCsrf(options: {
  readonly secrets: SecretRing;
  readonly secureCookies: boolean;
  readonly issuer: string;
}): Csrf {
  const { secrets, secureCookies, issuer } = options;
  const name = browserCookieName(secureCookies);
  const given = new WeakMap<object, string>();

  const cookieOf = (ctx: EdgeContext): string | undefined => {
    const value = ctx.cookies.get(name, { signed: false });
    return value !== undefined && soundCookie.test(value) ? value : undefined;
  };

  // Another account may sign in to this browser while a form of the first one's console is open.
  const holder = (ctx: EdgeContext, value: string): string =>
    ctx.state.person === undefined ? value : `${value} ${ctx.state.person}`;

  const checkOrigin = (ctx: EdgeContext): void => {
    const site = ctx.get('Sec-Fetch-Site');
    if (site === 'cross-site' || site === 'same-site') refuse(`Sec-Fetch-Site: ${site}`);
    // Under Referrer-Policy: no-referrer browsers send "null" from our own pages too; then the token decides.
    const origin = ctx.get('Origin');
    if (origin !== '' && origin !== 'null' && origin !== issuer) refuse('an Origin that is not ours');
  };

  return {
    markOf(ctx) {
      const value = cookieOf(ctx);
      const body = ctx.state.body ?? '';
      return value === undefined ? undefined : secrets.mac('form', `${value} ${sha256(body)}`);
    },
    issue(ctx) {
      const value = given.get(ctx.req) ?? cookieOf(ctx) ?? randomSecret();
      if (!given.has(ctx.req) && value !== cookieOf(ctx)) {
        ctx.cookies.set(name, value, {
          httpOnly: true,
          sameSite: 'lax',
          path: '/',
          secure: secureCookies,
          signed: false,
        });
      }
      given.set(ctx.req, value);
      return secrets.mac(purpose, holder(ctx, value));
    },
    check(ctx, form) {
      checkOrigin(ctx);
      const value = cookieOf(ctx) ?? refuse('no cookie');
      const token = form.get(csrfField) ?? refuse('no token');
      if (secrets.verifyMac(purpose, holder(ctx, value), token)) return;
      if (ctx.state.person === undefined) refuse('a token of another browser');
      refuse('a token of another browser or account', ofAnother);
    },
  };
}
