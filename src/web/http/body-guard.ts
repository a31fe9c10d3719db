import type { IncomingMessage } from 'node:http';
import { arrivalOf } from './arrival.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { routeFor } from './routes.ts';

const linger = { bytes: 1024 * 1024, milliseconds: 1000 };

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Reads the whole body. It stops before the stream's end is announced, so that the body can be put back with `unshift`
 * and whoever comes next reads it from the request as if nobody had. Undefined when it is longer than `limit` bytes.
 * @throws Error when the connection is closed before.
 */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (act: () => void): void => {
      req.off('readable', read).off('error', fail).off('close', cut);
      act();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const cut = (): void => fail(new Error('The connection was closed before the request had arrived.'));
    const read = (): void => {
      while (req.readableLength > 0) {
        const chunk: Buffer = req.read(req.readableLength);
        chunks.push(chunk);
        size += chunk.length;
        if (size > limit) {
          settle(() => resolve(undefined));
          return;
        }
      }
      if (!req.complete) return;
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)));
    };
    if (req.destroyed) return cut();
    req.on('error', fail).on('close', cut);
    if (!req.complete || req.readableLength > 0) req.on('readable', read);
    read();
  });
}

/** Reads the body, or takes what was read before, and puts it back. */
async function readAndPutBack(req: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const body = arrivalOf(req)?.body ?? (await readBody(req, limit));
  if (body && body.length > 0) req.unshift(body);
  return body;
}

/** Reads on for a moment, so that a client that sends before it listens gets the answer and not a reset. */
function discard(req: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const done = (): void => {
      clearTimeout(timer);
      req.off('data', count).off('end', done).off('close', done).off('error', done);
      req.resume();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      seen += chunk.length;
      if (seen > linger.bytes) done();
    };
    const timer = setTimeout(done, linger.milliseconds);
    req.on('end', done).on('close', done).on('error', done).on('data', count);
    req.resume();
  });
}

const typesOf = (ctx: EdgeContext): string[] =>
  routeFor(ctx).kind === 'api' ? ['application/json'] : ['application/x-www-form-urlencoded'];

function checkType(ctx: EdgeContext): void {
  const types = typesOf(ctx);
  if (!ctx.is(types)) ctx.throw(415, `A body has to be ${types.join(' or ')} here.`);
  const { charset } = ctx.request;
  if (charset !== '' && charset.toLowerCase() !== 'utf-8') ctx.throw(415, 'A body has to be UTF-8 here.');
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (encoding !== '' && encoding !== 'identity') ctx.throw(415, 'A body cannot be compressed here.');
}

/**
 * Takes in every request body up to `limitBytes` before anything acts on it, and refuses longer ones with 413.
 * A connection whose body was not read to its end is closed, because nobody could tell where the next request starts.
 */
export function createBodyGuard(options: { readonly limitBytes: number }): EdgeMiddleware {
  return async function bodyGuard(ctx, next) {
    if (!hasBody(ctx.req)) return next();
    const declared = Number(ctx.get('Content-Length'));
    const body = declared > options.limitBytes ? undefined : await readAndPutBack(ctx.req, options.limitBytes);
    if (!body) {
      await discard(ctx.req);
      return ctx.throw(413, `A request body may have ${options.limitBytes / 1024} KiB here.`, {
        headers: { Connection: 'close' },
      });
    }
    if (body.length > 0) checkType(ctx);
    ctx.state.body = body;
    return next();
  };
}
