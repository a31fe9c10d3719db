import { availableParallelism } from 'node:os';
import { createSqlAccountStore } from '../accounts/account-store-sql.ts';
import { createAccounts, rememberAccounts } from '../accounts/index.ts';
import { createSqlApiStore } from '../apis/api-store-sql.ts';
import { createApis } from '../apis/index.ts';
import { createSqlAuditCounts } from '../audit/audit-statistics-sql.ts';
import { createSqlAuditStore } from '../audit/audit-store-sql.ts';
import { type AuditEvent, type AuditLog, createAuditLog, createAuditStatistics } from '../audit/index.ts';
import { createSqlClientStore } from '../clients/client-store-sql.ts';
import { createClients } from '../clients/index.ts';
import type { Config } from '../config/load.ts';
import { createSqlConsentStore } from '../consents/consent-store-sql.ts';
import { createConsents } from '../consents/index.ts';
import { createSqlCredentialStore } from '../credentials/credential-store-sql.ts';
import { createCredentials, createPasswordHasher } from '../credentials/index.ts';
import { createKeys } from '../keys/index.ts';
import { createSqlKeyStore } from '../keys/key-store-sql.ts';
import { createSqlLeaseStore } from '../keys/lease-store-sql.ts';
import { consoleClient } from '../oidc/console-client.ts';
import { createRevocations } from '../revocation/index.ts';
import { createSqlRevocationStore } from '../revocation/revocation-store-sql.ts';
import type { Clock } from '../shared/clock.ts';
import { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import { createSqlFlowStore } from '../sign-in/flow-store-sql.ts';
import { createSignIn } from '../sign-in/index.ts';
import { createSqlThrottleStore } from '../sign-in/throttle-store-sql.ts';
import type { Database } from '../storage/database.ts';
import { ownApi } from '../web/api/resource.ts';
import { withEndedAccess } from './end-access.ts';
import { createMail } from './mail.ts';
import { withSecurityNotices } from './security-notices.ts';

const keyPolicy = (config: Config) => ({
  rotationSeconds: config.SALLYPORT_KEY_ROTATION_SECONDS,
  publishSeconds: config.SALLYPORT_KEY_PUBLISH_SECONDS,
  retireSeconds: config.SALLYPORT_KEY_RETIRE_SECONDS,
  jwksMaxAgeSeconds: config.SALLYPORT_JWKS_MAX_AGE,
  algorithms: ['ES256', 'RS256', 'EdDSA'] as const,
});

/** Milliseconds that a change of an account made on another node may take to be seen here. */
const accountMemory = 1000;

/** The audit log, with somebody who counts what is written to it. */
function observedAudit(database: Database, clock: Clock, observe: (event: AuditEvent) => void): AuditLog {
  const log = createAuditLog(createSqlAuditStore(database), clock);
  return {
    ...log,
    async record(event) {
      await log.record(event);
      observe(event);
    },
  };
}

const signInPolicy = (config: Config) => ({
  lockoutTries: config.SALLYPORT_LOCKOUT_TRIES,
  lockoutSeconds: config.SALLYPORT_LOCKOUT_SECONDS,
  challengeSeconds: config.SALLYPORT_CHALLENGE_SECONDS,
  flowSeconds: config.SALLYPORT_INTERACTION_SECONDS,
  codeTries: 5,
});

/** Puts the domains on their stores. All of them are durable data, so all of them are SQL. */
export function createDomains(
  config: Config,
  database: Database,
  clock: Clock,
  logger: Logger,
  observe: (event: AuditEvent) => void = () => undefined,
) {
  const secrets = new SecretRing(config.secrets);
  const plain = observedAudit(database, clock, observe);
  const notifications = createMail({ config, database, clock, logger, secrets });
  const revocations = createRevocations({ store: createSqlRevocationStore(database), clock, audit: plain });
  const longestSeconds = Math.max(config.SALLYPORT_REFRESH_FAMILY_SECONDS, config.SALLYPORT_SESSION_SECONDS);
  const audit = withSecurityNotices(withEndedAccess(plain, { revocations, clock, longestSeconds }), {
    accounts: { find: (id) => accounts.find(id) },
    notifications,
    clock,
    transaction: (work) => database.transaction(work),
  });
  const accounts = rememberAccounts(
    createAccounts({ store: createSqlAccountStore(database), clock, audit }),
    clock,
    accountMemory,
  );
  const apis = createApis({
    store: createSqlApiStore(database),
    clock,
    audit,
    builtIn: [ownApi(config.issuer)],
  });
  const clients = createClients({
    store: createSqlClientStore(database),
    clock,
    audit,
    checkResource: (identifier) => apis.find(identifier),
    allowLoopbackHttp: !config.production,
    builtIn: [consoleClient(config.issuer)],
  });
  const hasher = createPasswordHasher({
    workers: config.SALLYPORT_ARGON2_WORKERS ?? availableParallelism(),
    queue: config.SALLYPORT_ARGON2_QUEUE,
    memoryKiB: config.SALLYPORT_ARGON2_MEMORY_KIB,
    passes: config.SALLYPORT_ARGON2_PASSES,
    logger,
  });
  const credentials = createCredentials({
    store: createSqlCredentialStore(database),
    clock,
    audit,
    secrets,
    hasher,
    issuerName: 'Sallyport',
    logger,
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
  return {
    audit,
    statistics: createAuditStatistics(createSqlAuditCounts(database)),
    accounts,
    apis,
    clients,
    consents: createConsents(createSqlConsentStore(database), clock),
    credentials,
    hasher,
    keys,
    notifications,
    revocations,
    secrets,
    signIn: createSignIn({
      flows: createSqlFlowStore(database),
      throttle: createSqlThrottleStore(database),
      accounts,
      credentials,
      audit,
      clock,
      logger,
      policy: signInPolicy(config),
    }),
  };
}

export type Domains = ReturnType<typeof createDomains>;
