import type Router from '@koa/router';
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { Config } from '../config/load.ts';
import { createProtocolCalls, type Oidc } from '../oidc/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Database } from '../storage/database.ts';
import { accountOperations } from '../web/api/auth-account.ts';
import { createChallengeRoutes } from '../web/api/auth-challenge.ts';
import { createAppDevices } from '../web/api/auth-device.ts';
import { signInOperations } from '../web/api/auth-sign-in.ts';
import { createTickets } from '../web/api/auth-ticket.ts';
import type { Operation } from '../web/api/operation.ts';
import { storeFailure } from '../web/http/store-failure.ts';
import { createUnitOfWork } from '../web/http/unit-of-work.ts';
import type { Domains } from './domains.ts';
import type { Limits } from './limits.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Domains;
  readonly oidc: Oidc;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** What lets apps of the house sign people in by themselves. */
export interface FirstPartySurface {
  /** For the JSON API. */
  readonly operations: readonly Operation[];
  /** The authorization challenge endpoint. */
  readonly router: Router;
}

/** Puts direct sign-ins on the engine, the limits and the protocol that everybody else uses. */
export function createFirstParty({ config, database, domains, oidc, limits, clock }: Needs): FirstPartySurface {
  // As `createWeb` has it for requests from outside.
  const protocol = compose([
    async function freshKeys(_ctx, next) {
      await domains.keys.ensureFresh();
      return next();
    },
    createUnitOfWork({ database, applies: () => true }) as unknown as Middleware,
    storeFailure as unknown as Middleware,
    oidc.middleware,
  ]);
  const needs = {
    issuer: config.issuer,
    signIn: domains.signIn,
    attempts: limits.attempts,
    firstParty: oidc.firstParty,
    sessions: domains.sessions,
    clients: domains.clients,
    calls: createProtocolCalls(protocol),
    tickets: createTickets(domains.secrets, clock),
    appDevices: createAppDevices(domains.secrets, domains.devices),
    accessTokenSeconds: config.SALLYPORT_ACCESS_TOKEN_SECONDS,
    clock,
  };
  const { registration, recovery } = domains;
  return {
    operations: [
      ...signInOperations(needs),
      ...accountOperations({ registration, recovery, limits: limits.entry, attempts: limits.attempts }),
    ],
    router: createChallengeRoutes(needs),
  };
}
