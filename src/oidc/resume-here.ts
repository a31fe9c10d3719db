import type { Context, Middleware } from 'koa';
import { Provider } from 'oidc-provider';
import { browserCookieName } from '../shared/browser-cookie.ts';
import type { CookieSignatures } from '../shared/cookie-signatures.ts';
import { sha256 } from '../shared/crypto.ts';
import { randomSecret } from '../shared/ids.ts';
import { protocolRoutes } from './routes.ts';

type Interaction = InstanceType<Provider['Interaction']>;

/** The interaction that a request answers and goes on with, by the request. */
const carried = new WeakMap<object, Interaction>();

/**
 * A mark of the browser that answers an interaction. The library's own cookies of a sign-in are bound to its path, so a
 * neighbour domain can plant them, and with them a sign-in that somebody else has finished.
 */
export function browserMark(ctx: Pick<Context, 'cookies'>, secureCookies: boolean): string {
  const value = ctx.cookies.get(browserCookieName(secureCookies), { signed: false });
  // Every form of a sign-in comes with it. What was finished without is of no browser, and goes on in none.
  return sha256(`resume ${value ?? randomSecret()}`);
}

/**
 * Whether the sign-in that an interaction carries was finished in another browser than this request's. Of one that began
 * with a session the library looks at that, which outlives the browser where somebody is remembered.
 */
function isOfAnother(found: Interaction | undefined, ctx: Pick<Context, 'cookies'>, secureCookies: boolean): boolean {
  const mark = found?.result?.login?.browser;
  return mark !== undefined && found?.session?.uid === undefined && mark !== browserMark(ctx, secureCookies);
}

/**
 * Lets the library find an interaction that its own request answered, though the answer was never stored, and none to go
 * on from that another browser answered.
 */
export function findResumableInteractions(provider: Provider, secureCookies: boolean): void {
  const { Interaction } = provider;
  const find = Interaction.find.bind(Interaction);
  Interaction.find = (async (id: string, options?: { ignoreExpiration?: boolean }) => {
    const ctx = Provider.ctx;
    const own = ctx && carried.get(ctx.req);
    if (own?.uid === id) return own;
    const found = (await find(id, options)) as Interaction | undefined;
    if (!ctx?.oidc?.route?.endsWith('resume')) return found;
    // An answer that is kept for its form is nothing to go on from.
    return found?.result?.answered || isOfAnother(found, ctx, secureCookies) ? undefined : found;
  }) as typeof Interaction.find;
}

/** Whether this request ended the sign-in that it goes on with. */
export const resumesHere = (ctx: Pick<Context, 'req'>): boolean => carried.has(ctx.req);

/** What a request needs to go on with the authorization request that its form has answered. */
export interface ResumeParts {
  readonly secureCookies: boolean;
  /** The protocol's own middleware. */
  readonly handle: Middleware;
  readonly signatures: CookieSignatures;
  /** Told when an answer could not be kept for a form that is sent twice. */
  readonly onLost: (error: unknown) => void;
}

/**
 * Whether {@link resumeHere} can: a browser that has a session already may be somebody else's by now, and the library
 * leads such a one through a page of its own; a device has no request to go on with; and an answer that is a page of the
 * protocol has an address of its own to be loaded from again.
 */
export function mayResumeHere(provider: Provider, ctx: Context, { returnTo, params }: Interaction): boolean {
  const isSignedIn = ctx.cookies.get(provider.cookieName('session'), { signed: false }) !== undefined;
  if (isSignedIn || params.response_mode === 'form_post') return false;
  return new URL(returnTo).pathname.startsWith(`${protocolRoutes.authorization}/`);
}

/**
 * Goes on with an authorization request in the request that answered its interaction: what the browser would be
 * redirected to next, without that round trip. `details` carries its result and is neither read again nor removed; the
 * answer of the protocol is on `ctx`.
 * The protocol wants to see the cookie of the interaction's own path, which a browser sends only there. The cookie of its
 * pages says the same, by the same signature, and has been checked: it is how `details` was found.
 */
export async function resumeHere(
  provider: Provider,
  ctx: Context,
  details: Interaction,
  { handle, signatures }: ResumeParts,
): Promise<void> {
  const { req, method, url } = ctx;
  const { cookie } = req.headers;
  const pair = `${provider.cookieName('resume')}=${details.uid}`;
  // What is kept of it is settled when the answer is known.
  const destroy = details.destroy.bind(details);
  details.destroy = async () => undefined;
  carried.set(req, details);
  // In front, where the first of a name counts: a neighbour domain may have planted another one.
  req.headers.cookie = `${pair}; ${provider.cookieName('resume')}.sig=${signatures.sign(pair)}; ${cookie}`;
  ctx.method = 'GET';
  ctx.url = new URL(details.returnTo).pathname;
  try {
    await handle(ctx, async () => undefined);
  } finally {
    ctx.url = url;
    ctx.method = method;
    req.headers.cookie = cookie;
    carried.delete(req);
    details.destroy = destroy;
  }
}
