import { z } from 'zod';
import { describe, seconds } from './variable.ts';

/** Variables about how often something may be tried or asked for. */
export const limitVariables = {
  SALLYPORT_LOCKOUT_TRIES: describe(
    z.coerce.number().int().min(1).max(100).default(5),
    'Failed tries before an account is paused.',
  ),
  SALLYPORT_LOCKOUT_SECONDS: describe(seconds(1800), 'How long an account stays paused.'),
  SALLYPORT_LIMIT_SIGN_IN: describe(
    z.coerce.number().int().min(1).default(5),
    'Failed sign-ins per 15 minutes for one address and account together.',
  ),
  SALLYPORT_LIMIT_SIGN_IN_ADDRESS: describe(
    z.coerce.number().int().min(1).default(1000),
    'Posts to the sign-in pages per 15 minutes for one address.',
  ),
  SALLYPORT_LIMIT_REGISTRATION: describe(
    z.coerce.number().int().min(1).default(3),
    'Registrations per hour for one address. Forms that were refused for what was typed do not count.',
  ),
  SALLYPORT_LIMIT_MAIL_REQUESTS: describe(
    z.coerce.number().int().min(1).default(10),
    'Mails per hour that one address asks for: password resets, codes and links to sign in with, confirmations again.',
  ),
  SALLYPORT_LIMIT_ACCOUNT_CHANGES: describe(
    z.coerce.number().int().min(1).default(60),
    'Changes per minute that one account makes to itself, by its pages and the account API together.',
  ),
  SALLYPORT_LIMIT_REFRESH: describe(
    z.coerce.number().int().min(1).default(10),
    'Refreshes per hour for one owner of a token family and client.',
  ),
  SALLYPORT_LIMIT_TOKEN: describe(
    z.coerce.number().int().min(1).default(600),
    'Refused requests per minute for one address at the token, introspection and revocation endpoints, and refused credentials of gRPC callers.',
  ),
  SALLYPORT_LIMIT_PROXY: describe(
    z.coerce.number().int().min(1).default(600),
    'Refused access tokens per minute for one address at a proxy, by forward auth and by Envoy.',
  ),
  SALLYPORT_LIMIT_GRPC: describe(
    z.coerce.number().int().min(1).default(30_000),
    'Tokens per minute that one client may ask about by gRPC and that are not good.',
  ),
  SALLYPORT_LIMIT_GRPC_CONNECTIONS: describe(
    z.coerce.number().int().min(1).max(10_000).default(100),
    'gRPC connections that are open at once from one address, on each node; ten times as many in all. Raise it behind a load balancer that hides addresses.',
  ),
};
