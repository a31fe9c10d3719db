import { AppError } from '../../shared/errors.ts';
import type { EdgeContext, EdgeMiddleware } from './context.ts';
import { type RouteName, routeFor } from './routes.ts';

/** What is for people. Services and apps reach their endpoints from anywhere, and signing out is open to everybody. */
const leaving: ReadonlySet<RouteName> = new Set(['end_session', 'end_session_confirm', 'end_session_success']);
const people: ReadonlySet<RouteName> = new Set(['api_sign_in', 'authorization_challenge']);
const direct = /^\/api\/v1\/auth\/(?:login|register|refresh|password|email)(?:\/|$)/i;

function isForPeople(ctx: EdgeContext): boolean {
  const { kind, name } = routeFor(ctx);
  if (people.has(name)) return true;
  if (kind === 'api') return direct.test(ctx.path);
  return (kind === 'flow' || kind === 'console') && !leaving.has(name);
}

/** Why an address may not come in, for the log; undefined when it may. */
type Refuses = (address: string) => string | undefined;

/** Keeps the pages and the direct sign-in from addresses that the operator does not let in. */
export function createAddressGuard(refuses: Refuses): EdgeMiddleware {
  return function addressGuard(ctx, next) {
    if (!isForPeople(ctx)) return next();
    const reason = refuses(ctx.state.ip);
    if (reason === undefined) return next();
    throw new AppError('forbidden', 'Signing in is not possible from this network or place.', { reason });
  };
}
