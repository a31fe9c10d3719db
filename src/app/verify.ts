import type Koa from 'koa';
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { Config } from '../config/load.ts';
import { createProtocolCalls, type Oidc, protocolRoutes } from '../oidc/index.ts';
import type { Database } from '../storage/database.ts';
import { keyOperations } from '../web/api/api-keys.ts';
import { keyTokenOperations } from '../web/api/api-keys-token.ts';
import type { KeyUse } from '../web/api/bearer.ts';
import type { Operation } from '../web/api/operation.ts';
import { type AskProtocol, verifyOperations } from '../web/api/verify.ts';
import { storeFailure } from '../web/http/store-failure.ts';
import { createUnitOfWork } from '../web/http/unit-of-work.ts';
import { createKeyUse } from './api-keys.ts';
import type { Domains } from './domains.ts';
import type { Limits } from './limits.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly domains: Domains;
  readonly oidc: Oidc;
  readonly limits: Pick<Limits, 'apiKeys'>;
}

/** What services call: operations of the JSON API, and keys in the place of a token. */
export interface ServiceSurface {
  readonly operations: readonly Operation[];
  readonly useKey: KeyUse;
}

/**
 * Asks the introspection endpoint itself, so that who may ask about what is decided in one place: the short way for a
 * client with a secret, the long one for every other.
 */
function createAsk({ database, domains, oidc }: Needs): AskProtocol {
  const protocol = compose([
    createUnitOfWork({ database, applies: () => true }) as unknown as Koa.Middleware,
    storeFailure as unknown as Koa.Middleware,
    oidc.middleware,
  ] as Middleware[]);
  const calls = createProtocolCalls(protocol);
  return async (ctx, proof, token) => {
    await domains.keys.ensureFresh();
    const { authorization } = proof;
    const body = Buffer.from(new URLSearchParams({ ...proof.fields, token }).toString());
    const headers = authorization === undefined ? {} : { authorization };
    const plain = await oidc.answerPlain({ path: protocolRoutes.introspection, headers, body });
    return plain ? { status: 200, body: plain } : calls.introspect(ctx, proof, token);
  };
}

/** Puts keys and verification on the domains and the protocol. */
export function createServices(needs: Needs): ServiceSurface {
  const { config, domains, oidc, limits } = needs;
  const useKey = createKeyUse(domains.apiKeys, limits.apiKeys);
  const keyTokens = {
    async issue(key: Parameters<Oidc['keyTokens']['issue']>[0]) {
      await domains.keys.ensureFresh();
      return oidc.keyTokens.issue(key);
    },
  };
  return {
    useKey,
    operations: [
      ...keyOperations({ apiKeys: domains.apiKeys, clients: domains.clients, issuer: config.issuer }),
      ...keyTokenOperations({ useKey, keyTokens, issuer: config.issuer }),
      ...verifyOperations({ ask: createAsk(needs), accounts: domains.accounts, clients: domains.clients }),
    ],
  };
}
