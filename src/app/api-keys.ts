import type { Accounts } from '../accounts/index.ts';
import { createSqlApiKeyStore } from '../api-keys/api-key-store-sql.ts';
import { type ApiKeys, createApiKeys, type LiveApiKey } from '../api-keys/index.ts';
import type { Apis } from '../apis/index.ts';
import type { AuditEvent, AuditLog } from '../audit/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/load.ts';
import { createExchangeRights, type ExchangeRights } from '../oidc/index.ts';
import { createSqlExchangeRightStore } from '../oidc/token-exchange-rights-sql.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Clock } from '../shared/clock.ts';
import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { KeyUse } from '../web/api/bearer.ts';
import { apiIdentifier } from '../web/api/resource.ts';
import { type RateCounter, rateLimited } from '../web/http/rate-limit.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly apis: Apis;
  readonly clients: Clients;
  readonly revocations: Revocations;
}

/** What services have in the place of a sign-in: keys, and tokens for tokens. */
export function createServiceParts(needs: Needs): {
  readonly apiKeys: ApiKeys;
  readonly exchangeRights: ExchangeRights;
} {
  const { config, database, clock, audit, apis, clients } = needs;
  const mode = config.SALLYPORT_API_KEYS;
  return {
    apiKeys: createApiKeys({ ...needs, store: createSqlApiKeyStore(database), mode }),
    exchangeRights: createExchangeRights({
      store: createSqlExchangeRightStore(database),
      clients,
      apis,
      audit,
      clock,
      ownApi: apiIdentifier(config.issuer),
    }),
  };
}

/** Whether somebody who lost the account, or an operator for them, takes it back from whoever has it now. */
function takesBack({ type, actor, subject, details }: AuditEvent): boolean {
  if (type === 'password.reset' || type === 'recovery_link.used') return true;
  const byThemselves = actor.kind === 'account' && actor.id === subject;
  return type === 'password.changed' && !byThemselves && details?.first !== true;
}

/**
 * Ends the keys of an account that is taken back: whoever had it meanwhile may have made some, and a new password would
 * not end them. Keys of a disabled or deleted account are out of use as long as it is.
 */
export function withEndedKeys(audit: AuditLog, { database, clock }: Pick<Needs, 'database' | 'clock'>): AuditLog {
  const store = createSqlApiKeyStore(database);
  return {
    ...audit,
    async record(event) {
      await audit.record(event);
      if (event.subject === undefined || event.outcome !== 'success' || !takesBack(event)) return;
      const ended = await store.revoke({ accountId: asAccountId(event.subject) }, clock.now());
      for (const { id: key } of ended) {
        await audit.record({
          type: 'api_key.revoked',
          actor: event.actor,
          outcome: 'success',
          subject: event.subject,
          details: { key, reason: event.type },
        });
      }
    },
  };
}

/** Lets a key be used as often as it may. One that is used too often is not looked into any further. */
export function createKeyUse(apiKeys: Pick<ApiKeys, 'verify'>, counterFor: (perMinute: number) => RateCounter): KeyUse {
  return async (text) => {
    const live: LiveApiKey | undefined = await apiKeys.verify(text);
    const limit = live?.key.rateLimit;
    const wait = live && limit !== undefined ? await counterFor(limit).take(live.key.id) : 0;
    if (wait > 0) throw rateLimited('api-key', wait);
    return live;
  };
}

/** The counters of keys by how much they let through; operators choose from few numbers. */
export function createKeyCounters(make: (perMinute: number) => RateCounter): (perMinute: number) => RateCounter {
  const counters = new Map<number, RateCounter>();
  return (perMinute) => {
    const counter = counters.get(perMinute) ?? make(perMinute);
    counters.set(perMinute, counter);
    return counter;
  };
}
