import type { EdgeMiddleware } from './context.ts';
import { routeOf } from './routes.ts';

/** Longest query that a browser is sent on with, bytes; the request line has to stay below 16 KiB. */
const longest = 12 * 1024;

/**
 * Lets apps send authorization and logout requests by POST, as OpenID Connect Core §3.1.2.1 asks. The browser is sent
 * on to the same address by GET, because our cookies are `SameSite=Lax` and do not come along with a foreign post.
 */
export const postAsGet: EdgeMiddleware = async function postAsGet(ctx, next) {
  const route = routeOf(ctx);
  if (ctx.method !== 'POST' || (route !== 'authorization' && route !== 'end_session')) {
    await next();
    return;
  }
  const query = new URLSearchParams(ctx.state.body?.toString('utf8') ?? '').toString();
  if (query.length > longest) ctx.throw(413, `The parameters may have ${longest / 1024} KiB here.`);
  const path = route === 'authorization' ? '/oauth2/authorize' : '/oauth2/logout';
  ctx.status = 303;
  ctx.set('Location', query === '' ? path : `${path}?${query}`);
  ctx.body = '';
};
