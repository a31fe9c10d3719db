import type { Context, Middleware } from 'koa';
import { AppError } from '../shared/errors.ts';
import { type Form, readForm } from '../web/http/form.ts';

const limitBytes = 32 * 1024;

/** Headers of every answer. A sign-out is a form whose answer leads to the issuer, so `form-action` names it. */
export function securityHeaders(issuer: string): Middleware {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action 'self' ${issuer}`,
  ].join('; ');
  return async function headers(ctx, next) {
    ctx.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      // Codes and tokens pass through addresses and pages of this origin: nothing of them may travel on.
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    });
    await next();
  };
}

/** Answers under one name only, so that no foreign name pointed at this machine can read the pages (DNS rebinding). */
export function hostGuard(origin: string): Middleware {
  const { host, port } = new URL(origin);
  const aliases = new Set([`127.0.0.1:${port}`, `[::1]:${port}`]);
  return async function onlyOurName(ctx, next) {
    const given = ctx.get('Host').toLowerCase();
    if (given === host) return next();
    if (!aliases.has(given)) ctx.throw(421, `The playground answers at ${origin} only.`);
    ctx.redirect(new URL(ctx.url, origin).href);
  };
}

/** @throws AppError `forbidden` when a browser says that another site sent this form. */
export function checkSameOrigin(ctx: Context, origin: string): void {
  const site = ctx.get('Sec-Fetch-Site');
  const from = ctx.get('Origin');
  if ((site !== '' && site !== 'same-origin') || (from !== '' && from !== origin)) {
    throw new AppError('forbidden', 'This form was not sent from the playground itself.');
  }
}

/** @throws AppError `invalid_input` for anything but a short form. */
export async function readPostedForm(ctx: Context): Promise<Form> {
  if (!ctx.is('application/x-www-form-urlencoded'))
    throw new AppError('invalid_input', 'The playground reads forms only.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw new AppError('invalid_input', 'That form is longer than 32 KiB.');
    chunks.push(chunk);
  }
  return readForm(Buffer.concat(chunks));
}
