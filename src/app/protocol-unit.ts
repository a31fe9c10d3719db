import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { Database } from '../storage/database.ts';
import { routeFor } from '../web/http/routes.ts';
import { storeFailure } from '../web/http/store-failure.ts';
import { createUnitOfWork } from '../web/http/unit-of-work.ts';

const protocolKinds = new Set(['oauth', 'flow']);

/** What each request of the protocol runs in: one unit of work, and 503 when a store was away. */
export const createProtocolUnit = (database: Database): Middleware =>
  compose([
    createUnitOfWork({ database, applies: (ctx) => protocolKinds.has(routeFor(ctx).kind) }),
    storeFailure,
  ] as unknown as Middleware[]) as Middleware;
