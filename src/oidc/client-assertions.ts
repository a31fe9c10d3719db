import type { Middleware } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds, systemClock } from '../shared/clock.ts';
import { isNestedTooDeep } from './nesting.ts';

/** Seconds for which an assertion may be good: so long each is remembered, to be used once. */
const longestLife = 3600;
const tolerance = 15;

/**
 * An assertion is made for one request (RFC 7523 §3, rule 4: one that is good for too long may be refused).
 * @throws InvalidClientAuth
 */
export async function assertAssertion(_ctx: KoaContextWithOIDC, claims: { readonly exp?: unknown }): Promise<void> {
  // The library goes by the system's clock too.
  if (typeof claims.exp === 'number' && claims.exp <= epochSeconds(systemClock) + longestLife + tolerance) return;
  throw new errors.InvalidClientAuth('client assertions must expire within an hour');
}

const isTooDeep = (assertion: string): boolean =>
  assertion.split('.', 2).some((part) => isNestedTooDeep(Buffer.from(part, 'base64url').toString('utf8')));

/** Refuses assertions whose claims are nested so deep that the library would fail on them, before it sees them. */
export const refuseDeepAssertions: Middleware = async function refuseDeepAssertions(ctx, next) {
  const body = ctx.state.body as Buffer | undefined;
  if (!body?.includes('client_assertion')) return next();
  const fields = new URLSearchParams(body.toString('utf8'));
  if (!fields.getAll('client_assertion').some(isTooDeep)) return next();
  const { status, error, error_description } = new errors.InvalidClientAuth('claims are nested too deep');
  ctx.status = status;
  ctx.set('cache-control', 'no-store');
  ctx.body = { error, error_description };
};
