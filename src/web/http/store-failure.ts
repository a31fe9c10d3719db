import { AppError } from '../../shared/errors.ts';
import { currentUnitOfWork } from '../../storage/unit-of-work.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';

function redirectsWithError(ctx: EdgeContext): boolean {
  const location = ctx.response.get('Location');
  return location !== '' && /[?&#]error=/.test(location);
}

const formPostsError = (ctx: EdgeContext): boolean =>
  typeof ctx.body === 'string' && ctx.body.includes('<input type="hidden" name="error" ');

/**
 * Turns the answer into 503 when a store was away while it was made. oidc-provider knows only `server_error`, and some
 * of its steps take "could not read" for "is not there": a client that is told `invalid_grant` throws its tokens away.
 * A success is taken back too when it wrote something, because the transaction it wrote in is broken.
 * Goes inside of `unitOfWork`.
 */
export const storeFailure: EdgeMiddleware = async function storeFailure(ctx, next) {
  await next();
  const unit = currentUnitOfWork();
  if (unit?.storeFailure === undefined) return;
  if (ctx.status >= 400 || redirectsWithError(ctx) || formPostsError(ctx) || unit.transaction) {
    throw new AppError(
      'unavailable',
      'The server cannot reach its database. Try again in a moment.',
      { retryAfter: 2 },
      unit.storeFailure,
    );
  }
};
