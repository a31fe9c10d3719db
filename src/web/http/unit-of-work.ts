import { AppError } from '../../shared/errors.ts';
import type { Database } from '../../storage/database.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { statusOf } from './failure.ts';

/**
 * Makes what a request writes one whole: committed before the answer leaves, rolled back when the answer is 500 or
 * worse. A refusal (4xx) is kept, because it may have counted a wrong try or ended a token family.
 */
export function createUnitOfWork(options: {
  readonly database: Database;
  readonly applies: (ctx: EdgeContext) => boolean;
}): EdgeMiddleware {
  const { database, applies } = options;
  return async function unitOfWork(ctx, next) {
    if (!applies(ctx)) return next();
    let refusal: AppError | undefined;
    await database.unitOfWork(
      ctx.state.startedAt,
      async () => {
        try {
          await next();
        } catch (thrown) {
          if (!(thrown instanceof AppError) || statusOf(thrown.code) >= 500) throw thrown;
          refusal = thrown;
        }
      },
      () => refusal !== undefined || ctx.status < 500,
    );
    if (refusal) throw refusal;
  };
}
