import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { protocolRoutes } from './routes.ts';

/** Stands where a code of the browser has its redirect URI: nobody was redirected, and nobody can register this. */
export const directRedirect = 'urn:sallyport:direct-sign-in';

/** Issuer-relative path of the authorization challenge endpoint. */
export const authorizationChallengePath = '/oauth2/authorization-challenge';

/** The code of a redemption that names no redirect URI. */
function codeWithoutRedirect({ method, path, state }: Context): string | undefined {
  if (method !== 'POST' || path !== protocolRoutes.token || !(state.body instanceof Buffer)) return undefined;
  const fields = new URLSearchParams(state.body.toString('utf8'));
  const fits = fields.get('grant_type') === 'authorization_code' && !fields.has('redirect_uri');
  return fits ? (fields.get('code') ?? undefined) : undefined;
}

/**
 * Codes of a direct sign-in are redeemed without a redirect URI (draft-ietf-oauth-first-party-apps §6); the library
 * wants one of every code. What this adds to the request is compared with the code like any other.
 */
export const createDirectRedemption = (provider: Provider): Middleware =>
  async function directRedemption(ctx, next) {
    const code = codeWithoutRedirect(ctx as unknown as Context);
    if (code !== undefined) {
      const found = await provider.AuthorizationCode.find(code, { ignoreExpiration: true });
      if (found?.redirectUri === directRedirect) {
        const added = Buffer.from(`redirect_uri=${encodeURIComponent(directRedirect)}&`);
        const { headers } = ctx.req;
        if (headers['content-length'] !== undefined) {
          headers['content-length'] = String(Number(headers['content-length']) + added.length);
        }
        ctx.req.unshift(added);
      }
    }
    return next();
  };
