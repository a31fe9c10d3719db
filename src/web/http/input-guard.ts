import type { IncomingMessage } from 'node:http';
import type { EdgeMiddleware } from './context.ts';

const carriesNul = (text: string | Buffer): boolean => text.includes('\0') || text.includes('%00');

/** The credentials of HTTP Basic as they were before base64; a client id in them ends in a query like any other. */
function basicCredentials(header: string): string {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(header)?.[1];
  return encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('latin1');
}

/** Whether there is a NUL, plain or percent-encoded, in the URL, the body or Basic credentials. */
export function hasNul({ url = '', headers }: IncomingMessage, body: Buffer | undefined): boolean {
  if (carriesNul(url) || (body && carriesNul(body))) return true;
  return carriesNul(basicCredentials(headers.authorization ?? ''));
}

/**
 * Refuses NUL characters in the URL, the body and Basic credentials. No parameter of ours may have one, and a database
 * refuses it in text with an error that would look like a defect.
 */
export const inputGuard: EdgeMiddleware = function inputGuard(ctx, next) {
  const { body } = ctx.state;
  const json = body?.includes('\\u0000') && ctx.is('application/json');
  if (json || hasNul(ctx.req, body)) {
    ctx.throw(400, 'The request has a NUL character in it, which nothing here may have.');
  }
  return next();
};
