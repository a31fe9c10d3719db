import { createSqlApiStore } from '../apis/api-store-sql.ts';
import { type Apis, createApis } from '../apis/index.ts';
import type { AuditLog } from '../audit/index.ts';
import { createSqlClientStore } from '../clients/client-store-sql.ts';
import { type Clients, createClients } from '../clients/index.ts';
import type { Config } from '../config/load.ts';
import { createKeys, type Keys } from '../keys/index.ts';
import { createSqlKeyStore } from '../keys/key-store-sql.ts';
import { createSqlLeaseStore } from '../keys/lease-store-sql.ts';
import { apiKeyClient } from '../oidc/api-key-tokens.ts';
import { consoleClient } from '../oidc/console-client.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';
import { ownApi } from '../web/api/resource.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly secrets: SecretRing;
  readonly logger: Logger;
}

const keyPolicy = (config: Config) => ({
  rotationSeconds: config.SALLYPORT_KEY_ROTATION_SECONDS,
  publishSeconds: config.SALLYPORT_KEY_PUBLISH_SECONDS,
  retireSeconds: config.SALLYPORT_KEY_RETIRE_SECONDS,
  jwksMaxAgeSeconds: config.SALLYPORT_JWKS_MAX_AGE,
  algorithms: ['ES256', 'RS256', 'EdDSA'] as const,
});

/** Who may ask for tokens, for which APIs, and what signs them. */
export function createProtocolParts({ config, database, clock, audit, secrets, logger }: Needs): {
  readonly apis: Apis;
  readonly clients: Clients;
  readonly keys: Keys;
} {
  const apis = createApis({ store: createSqlApiStore(database), clock, audit, builtIn: [ownApi(config.issuer)] });
  const clients = createClients({
    store: createSqlClientStore(database),
    clock,
    audit,
    checkResource: (identifier) => apis.find(identifier),
    allowLoopbackHttp: !config.production,
    builtIn: [consoleClient(config.issuer), apiKeyClient],
  });
  const keys = createKeys({
    store: createSqlKeyStore(database),
    leases: createSqlLeaseStore(database, clock),
    secrets,
    clock,
    audit,
    policy: keyPolicy(config),
    logger,
  });
  return { apis, clients, keys };
}
