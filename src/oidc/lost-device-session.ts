import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { protocolRoutes } from './routes.ts';

const deviceRoutes = new Set(['code_verification', 'device_resume']);

/**
 * A post to the device page whose session is gone ends in oidc-provider with a TypeError, because it saves a session
 * that never was. The person only needs the page again.
 */
export const lostDeviceSession: Middleware = async function lostDeviceSession(ctx, next) {
  try {
    await next();
  } catch (error) {
    const route = (ctx as unknown as KoaContextWithOIDC).oidc?.route;
    if (
      !(error instanceof TypeError && /previously persisted Sessions/.test(error.message) && deviceRoutes.has(route))
    ) {
      throw error;
    }
    ctx.status = 303;
    ctx.set('Location', protocolRoutes.code_verification);
    ctx.body = '';
  }
};
