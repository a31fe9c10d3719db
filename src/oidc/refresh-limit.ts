import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { assertMayRefresh, type DirectRefreshGuard } from './direct-refresh.ts';
import { metaOf } from './session-registry.ts';

/** Counts refreshes; `blockedFor` is seconds until the next one, 0 when it may go on. */
export interface RefreshCounter {
  take(key: string): Promise<number>;
}

/**
 * Always rotates (RFC 9700 §4.14.2), and refuses sessions of apps that are used from where they may not be, and owners who
 * refresh far more often than tokens expire.
 * It runs after every check of the refresh token and before it is used up, so a refusal costs the client nothing.
 */
export const createRotation =
  (counter: RefreshCounter, guard: DirectRefreshGuard) =>
  async (ctx: KoaContextWithOIDC): Promise<boolean> => {
    await assertMayRefresh(guard, ctx, metaOf(ctx));
    const token = ctx.oidc.entities.RefreshToken;
    const wait = await counter.take(`${token?.accountId ?? ''}:${token?.clientId ?? ''}`);
    if (wait > 0) {
      ctx.set('retry-after', String(wait));
      const refusal = new errors.CustomOIDCProviderError(
        'slow_down',
        `Too many refreshes. Try again in ${wait} seconds.`,
      );
      throw Object.assign(refusal, { status: 429, statusCode: 429 });
    }
    return true;
  };
