import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { type RouteKind, routeFor } from './routes.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/**
 * Content-Security-Policy of a kind of route. Chromium holds `form-action` against every redirect after a form post,
 * and a sign-in ends with one to the app; so only the consoles, whose forms lead nowhere else, have it.
 */
const policyFor = (kind: RouteKind): string => (kind === 'console' ? `${policy}; form-action 'self'` : policy);

const constant = {
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy':
    'camera=(), geolocation=(), microphone=(), payment=(), usb=(), ' +
    'publickey-credentials-get=(self), publickey-credentials-create=(self)',
};

/** Headers for an answer that is given without Koa, when a request cannot even be parsed. */
export const bareHeaders: Readonly<Record<string, string>> = {
  ...constant,
  'Content-Security-Policy': policy,
  'Cache-Control': 'no-store',
};

function publish(ctx: EdgeContext, maxAge: number): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.remove('Vary');
  if (ctx.status === 200) ctx.set('Cache-Control', `public, max-age=${maxAge}`);
}

export interface SecurityHeaderOptions {
  readonly issuer: string;
  /** Seconds that anybody may cache the JWKS and the discovery document. */
  readonly metadataMaxAge: number;
  /**
   * Whether an app may run the sign-in in a popup. An opener policy on any page of the way closes the popup in the
   * eyes of the app that opened it, so the pages of the sign-in go without one then.
   */
  readonly popups: boolean;
}

/** The headers that every answer at a kind of route has. */
export function securityHeadersOf(kind: RouteKind, { issuer, popups }: SecurityHeaderOptions): Record<string, string> {
  return {
    ...constant,
    'Content-Security-Policy': policyFor(kind),
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': popups && kind === 'flow' ? 'unsafe-none' : 'same-origin',
    ...(issuer.startsWith('https:') && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
}

/** Puts the security headers on every answer, whatever becomes of it. Goes outside of the error handler. */
export function createSecurityHeaders(options: SecurityHeaderOptions): EdgeMiddleware {
  const known = new Map<RouteKind, readonly (readonly [string, string])[]>();
  const headersOf = (kind: RouteKind): readonly (readonly [string, string])[] => {
    const headers = known.get(kind) ?? Object.entries(securityHeadersOf(kind, options));
    known.set(kind, headers);
    return headers;
  };
  return async function securityHeaders(ctx, next) {
    const { kind } = routeFor(ctx);
    for (const [name, value] of headersOf(kind)) ctx.res.setHeader(name, value);
    await next();
    if (kind === 'metadata') publish(ctx, options.metadataMaxAge);
  };
}
