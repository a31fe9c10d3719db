import type { EdgeContext, EdgeMiddleware } from './context.ts';

const carriesNul = (text: string): boolean => /\0|%00/.test(text);

/** The credentials of HTTP Basic as they were before base64; a client id in them ends in a query like any other. */
function basicCredentials(ctx: EdgeContext): string {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(ctx.get('Authorization'))?.[1];
  return encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('latin1');
}

/**
 * Refuses NUL characters in the URL, the body and Basic credentials. No parameter of ours may have one, and a database
 * refuses it in text with an error that would look like a defect.
 */
export const inputGuard: EdgeMiddleware = function inputGuard(ctx, next) {
  const body = ctx.state.body?.toString('latin1') ?? '';
  const json = /\\u0000/i.test(body) && ctx.is('application/json');
  if (json || [ctx.req.url ?? '', body, basicCredentials(ctx)].some(carriesNul)) {
    ctx.throw(400, 'The request has a NUL character in it, which nothing here may have.');
  }
  return next();
};
