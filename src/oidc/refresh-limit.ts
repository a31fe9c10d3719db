import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/** Counts refreshes; `blockedFor` is seconds until the next one, 0 when it may go on. */
export interface RefreshCounter {
  take(key: string): Promise<number>;
}

/**
 * Always rotates (RFC 9700 §4.14.2), and refuses owners who refresh far more often than tokens expire.
 * It runs after every check of the refresh token and before it is used up, so a refusal costs the client nothing.
 */
export const createRotation =
  (counter: RefreshCounter) =>
  async (ctx: KoaContextWithOIDC): Promise<boolean> => {
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
