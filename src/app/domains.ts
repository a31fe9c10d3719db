import { createSqlAccountStore } from '../accounts/account-store-sql.ts';
import { createAccounts, rememberAccounts } from '../accounts/index.ts';
import { createSqlAuditCounts } from '../audit/audit-statistics-sql.ts';
import { createSqlAuditStore } from '../audit/audit-store-sql.ts';
import { type AuditEvent, type AuditLog, createAuditLog, createAuditStatistics } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import { createSqlConsentStore } from '../consents/consent-store-sql.ts';
import { createConsents } from '../consents/index.ts';
import type { WatchHashing } from '../credentials/index.ts';
import { createSqlCodeStore } from '../one-time-secrets/code-store-sql.ts';
import { createOneTimeSecrets } from '../one-time-secrets/index.ts';
import { createSqlLinkStore } from '../one-time-secrets/link-store-sql.ts';
import { createPasskeys, relyingPartyOf } from '../passkeys/index.ts';
import { createSqlPasskeyStore } from '../passkeys/passkey-store-sql.ts';
import { longestAfterEnd } from '../registration/index.ts';
import { createRevocations } from '../revocation/index.ts';
import { createSqlRevocationStore } from '../revocation/revocation-store-sql.ts';
import type { Clock } from '../shared/clock.ts';
import { SecretRing } from '../shared/crypto.ts';
import type { Logger } from '../shared/logger.ts';
import { createSqlFlowStore } from '../sign-in/flow-store-sql.ts';
import type { Database } from '../storage/database.ts';
import type { Webhooks } from '../webhooks/index.ts';
import { createAccountParts, mailPaths } from './account-parts.ts';
import { createSettings } from './account-settings.ts';
import { createServiceParts, withEndedKeys } from './api-keys.ts';
import { createAuditParts } from './audit.ts';
import { createBackChannelParts } from './back-channel.ts';
import { connectApps } from './connected-apps.ts';
import { withEndedAccess } from './end-access.ts';
import { createMail } from './mail.ts';
import { createCredentialParts } from './passwords.ts';
import { createProtocolParts } from './protocol-parts.ts';
import { createRiskParts, riskPolicyOf, tellsOfNewDevices, withTokenReuse } from './risk.ts';
import { createSealedData } from './sealed-data.ts';
import { withSecurityNotices } from './security-notices.ts';
import { createSessionParts } from './sessions.ts';
import { createSignInDomain } from './sign-in.ts';
import { createStatusListParts } from './status-list.ts';
import { createImport } from './user-import.ts';
import { createWebhookParts } from './webhooks.ts';

/** Milliseconds that a change of an account made on another node may take to be seen here. */
const accountMemory = 1000;

/** The audit log, with webhooks that leave with its rows and somebody who counts what is written to it. */
function observedAudit(
  database: Database,
  clock: Clock,
  webhooks: Pick<Webhooks, 'observe'>,
  observe: (event: AuditEvent) => void,
): AuditLog {
  const log = createAuditLog(webhooks.observe(createSqlAuditStore(database)), clock);
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
  email: {
    step: config.SALLYPORT_EMAIL_STEP,
    signIn: config.SALLYPORT_EMAIL_SIGN_IN,
    reachable: config.SALLYPORT_SMTP_URL !== undefined || !config.production,
  },
  passwordsExpire: config.SALLYPORT_PASSWORD_MAX_AGE_DAYS !== undefined,
  passkeyOfferDays: config.SALLYPORT_PASSKEY_OFFER_DAYS,
});

type Observe = (event: AuditEvent) => void;

/** People and their sessions, tied to the audit log: what it hears of ends access and sends notices. */
function createPeopleParts(config: Config, database: Database, clock: Clock, logger: Logger, observe: Observe) {
  const secrets = new SecretRing(config.secrets);
  const record: AuditLog['record'] = (event) => plain.record(event);
  const webhooks = createWebhookParts({ config, database, clock, secrets, audit: { record }, logger });
  const plain = observedAudit(database, clock, webhooks, observe);
  const notifications = createMail({ config, database, clock, logger, secrets, audit: plain });
  const { SALLYPORT_REFRESH_FAMILY_SECONDS: family, SALLYPORT_SESSION_SECONDS: session } = config;
  const longestSeconds = Math.max(family, session, longestAfterEnd);
  const store = createSqlRevocationStore(database);
  const revocations = createRevocations({ store, clock, audit: plain, longestSeconds });
  const watched = withTokenReuse(plain, {
    policy: riskPolicyOf(config),
    record: (event) => audit.record(event),
    sessions: { endAll: (...given) => sessions.endAll(...given) },
  });
  const ending = withEndedAccess(withEndedKeys(watched, { database, clock }), {
    revocations,
    sessions: {
      endRevoked: (...given) => sessions.endRevoked(...given),
      isOpen: (id) => sessions.isOpen(id),
    },
    devices: { forgetAll: (...given) => devices.forgetAll(...given) },
    flows: createSqlFlowStore(database),
    links: createSqlLinkStore(database),
    codes: createSqlCodeStore(database),
    clock,
    longestSeconds,
  });
  const audit = withSecurityNotices(ending, {
    accounts: { find: (id) => accounts.find(id) },
    notifications,
    clock,
    transaction: (work) => database.transaction(work),
    resetPath: mailPaths.forgotten,
    tellsOfNewDevices: tellsOfNewDevices(config),
  });
  const places = createRiskParts({
    config,
    database,
    audit,
    devices: { listKnown: (id) => devices.listKnown(id) },
    clock,
    logger,
  });
  const { devices, sessions } = createSessionParts({ config, database, revocations, audit, ...places, clock, logger });
  const accounts = rememberAccounts(
    createAccounts({ store: createSqlAccountStore(database), clock, audit }),
    clock,
    accountMemory,
  );
  return { secrets, audit, notifications, revocations, longestSeconds, devices, sessions, accounts, webhooks, places };
}

/** What people prove themselves with. */
function createFactorParts(needs: Parameters<typeof createCredentialParts>[0]) {
  const { config, database, clock, audit, secrets } = needs;
  return {
    ...createCredentialParts(needs),
    passkeys: createPasskeys({
      store: createSqlPasskeyStore(database),
      clock,
      audit,
      rp: relyingPartyOf(config.issuer, 'Sallyport', config.SALLYPORT_PASSKEY_ORIGINS),
    }),
    oneTimeSecrets: createOneTimeSecrets({
      links: createSqlLinkStore(database),
      codes: createSqlCodeStore(database),
      clock,
      secrets,
    }),
  };
}

/** Puts the domains on their stores. All of them are durable data, so all of them are SQL. */
export function createDomains(
  config: Config,
  database: Database,
  clock: Clock,
  logger: Logger,
  observe: Observe = () => undefined,
  watchHashing?: WatchHashing,
) {
  const people = createPeopleParts(config, database, clock, logger, observe);
  const { secrets, audit, notifications, revocations, longestSeconds, devices, sessions, accounts } = people;
  const protocol = createProtocolParts({ config, database, clock, audit, secrets, logger });
  const factors = createFactorParts({ config, database, clock, audit, secrets, logger, watchHashing });
  const { hasher, credentials, passwordMemory, passwordPolicy, passkeys, oneTimeSecrets } = factors;
  const consents = createConsents(createSqlConsentStore(database), clock);
  const services = createServiceParts({ config, database, clock, audit, accounts, revocations, ...protocol });
  const accountParts = createAccountParts({
    apiKeys: services.apiKeys,
    config,
    database,
    clock,
    audit,
    accounts,
    consents,
    credentials,
    devices,
    notifications,
    oneTimeSecrets,
    passkeys,
    passwordPolicy,
    revocations,
    sessions,
    longestSeconds,
  });
  return {
    issuer: config.issuer,
    audit,
    ...accountParts,
    accountSettings: createSettings({
      database,
      oneTimeSecrets,
      credentials,
      passwordPolicy,
      passkeys,
      devices,
      audit,
      clock,
      logger,
      signInPolicy: signInPolicy(config),
    }),
    statistics: createAuditStatistics(createSqlAuditCounts(database)),
    accounts,
    ...protocol,
    ...services,
    backChannel: createBackChannelParts({ config, database, clock, logger, sessions, ...protocol }),
    statusLists: createStatusListParts({ config, database, clock, keys: protocol.keys }),
    consents,
    connectedApps: connectApps({ consents, revocations, audit, database, clock, longestSeconds }),
    ...createAuditParts(config, database, clock, audit),
    credentials,
    devices,
    hasher,
    notifications,
    oneTimeSecrets,
    passwordPolicy,
    passkeys,
    revocations,
    sealedData: createSealedData({ database, clock, ...people, ...protocol, credentials }),
    secrets,
    sessions,
    places: people.places,
    risk: people.places.risk,
    webhooks: people.webhooks,
    userImport: createImport({ database, clock, audit, secrets, accounts, passwordMemory }),
    signIn: createSignInDomain({
      ...factors,
      ...people,
      database,
      registration: accountParts.registration,
      risk: people.places.risk,
      clock,
      logger,
      policy: signInPolicy(config),
    }),
  };
}

export type Domains = ReturnType<typeof createDomains>;
