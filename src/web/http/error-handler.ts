import type { Logger } from '../../shared/logger.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { type Failure, failureOf, failureOfStatus } from './failure.ts';
import { routeFor } from './routes.ts';

/** What an error page says. */
export interface ErrorPage {
  readonly title: string;
  readonly message: string;
  /** The id of the request, which the log and the audit log have too. */
  readonly reference: string;
  readonly time: Date;
  readonly status: number;
}

/** Draws the error page; given by whoever owns the views. */
export type RenderErrorPage = (ctx: EdgeContext, page: ErrorPage) => string | Promise<string>;

/** Headers that say something about the route or the request and outlive a failure. */
const lasting =
  /^(?:x-|content-security-policy|referrer-policy|permissions-policy|cross-origin-|strict-transport-|cache-control|access-control-|vary|retry-after|allow|www-authenticate|connection|ratelimit)/;

function clearAnswer(ctx: EdgeContext, failure: Failure): void {
  for (const name of ctx.res.getHeaderNames()) {
    const keepsCookies = name === 'set-cookie' && failure.status < 500;
    if (!lasting.test(name) && !keepsCookies) ctx.res.removeHeader(name);
  }
  ctx.set('Cache-Control', 'no-store');
  ctx.set({ ...failure.headers });
  ctx.status = failure.status;
}

/** The connection broke before the request had arrived, so whatever was thrown is about that. */
const clientLeft = (ctx: EdgeContext): boolean => ctx.req.socket.destroyed && !ctx.req.complete;

/** A router's 404 or 405: a status without words. */
const isBareFailure = (ctx: EdgeContext): boolean =>
  ctx.status >= 400 && (ctx.body === undefined || ctx.body === null) && ctx.respond !== false && ctx.writable;

type Rendering = 'oauth' | 'problem' | 'page';

function renderingFor(ctx: EdgeContext): Rendering {
  const { kind } = routeFor(ctx);
  if (kind === 'oauth' || kind === 'metadata') return 'oauth';
  if (kind === 'api') return 'problem';
  return ctx.accepts('json', 'html') === 'html' ? 'page' : 'problem';
}

const plainPage = ({ title, message, reference }: ErrorPage): string =>
  `<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>` +
  `<p>${message.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</p><p>${reference}</p></html>\n`;

export interface ErrorHandlerOptions {
  readonly logger: Logger;
  readonly renderErrorPage: RenderErrorPage;
}

/**
 * Gives every failure an answer its asker can read: a page for browsers, RFC 9457 for JSON clients, RFC 6749 §5.2 at
 * the OAuth endpoints. What is not a refusal becomes a 500 with an id; its stack goes to the log and nowhere else.
 */
export function createErrorHandler({ logger, renderErrorPage }: ErrorHandlerOptions): EdgeMiddleware {
  const write = async (ctx: EdgeContext, failure: Failure): Promise<void> => {
    const reference = ctx.state.requestId;
    clearAnswer(ctx, failure);
    const rendering = renderingFor(ctx);
    if (rendering === 'oauth') {
      ctx.body = { error: failure.oauthError, error_description: failure.message, reference };
    } else if (rendering === 'problem') {
      const { title, status, message: detail, fields } = failure;
      ctx.body = JSON.stringify({ type: 'about:blank', title, status, detail, reference, ...(fields && { fields }) });
      ctx.type = 'application/problem+json';
    } else {
      const { title, status, message } = failure;
      const page = { title, message, reference, status, time: new Date(ctx.state.startedAt) };
      ctx.type = 'html';
      try {
        ctx.body = await renderErrorPage(ctx, page);
      } catch (error) {
        logger.error({ err: error, reference }, 'the error page could not be drawn');
        ctx.body = plainPage(page);
      }
    }
    // Setting a body turns a 404 that nobody set into 200.
    ctx.status = failure.status;
  };

  const report = (ctx: EdgeContext, failure: Failure, thrown: unknown): void => {
    const { code, reason } = failure;
    ctx.state.refusal = { code, ...(reason !== undefined && { reason }) };
    if (failure.defect) {
      logger.error({ err: thrown, requestId: ctx.state.requestId }, 'request failed');
    } else if (failure.status >= 500) {
      const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
      logger.warn({ reason: String(cause), requestId: ctx.state.requestId }, 'request could not be served');
    }
  };

  return async function errorHandler(ctx, next) {
    try {
      await next();
    } catch (thrown) {
      if (clientLeft(ctx)) return;
      const failure = failureOf(thrown);
      report(ctx, failure, thrown);
      if (ctx.writable) await write(ctx, failure);
      return;
    }
    if (isBareFailure(ctx)) await write(ctx, failureOfStatus(ctx.status));
  };
}
