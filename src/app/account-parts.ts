import { createAuditTraces } from '../account-data/audit-traces-sql.ts';
import { createSqlFactorTimes } from '../account-data/factor-times-sql.ts';
import { type AccountData, createAccountData, type ExportSources } from '../account-data/index.ts';
import { createSqlAccountLifeStore } from '../accounts/account-life-store-sql.ts';
import { type AccountLife, createAccountLife, type RememberedAccounts } from '../accounts/index.ts';
import type { ApiKeys } from '../api-keys/index.ts';
import type { Actor, AuditLog } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import type { Consents } from '../consents/index.ts';
import type { Credentials, PasswordPolicy } from '../credentials/index.ts';
import type { Devices } from '../devices/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { OneTimeSecrets } from '../one-time-secrets/index.ts';
import type { Passkeys } from '../passkeys/index.ts';
import { createRecovery, type Recovery } from '../recovery/index.ts';
import { createSqlRecoveryTryStore } from '../recovery/recovery-try-store-sql.ts';
import { createSqlConfirmedLinkStore } from '../registration/confirmed-link-store-sql.ts';
import { createAnswerTime, createRegistration, type Registration } from '../registration/index.ts';
import { createSqlPendingRegistrationStore } from '../registration/pending-registration-store-sql.ts';
import type { Revocations } from '../revocation/index.ts';
import type { EndReason, Sessions } from '../sessions/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { nameKeysOf } from '../sign-in/throttle.ts';
import { createSqlThrottleStore } from '../sign-in/throttle-store-sql.ts';
import type { Database } from '../storage/database.ts';
import { createSqlDeliveryTraceStore } from '../webhooks/delivery-traces-sql.ts';
import { createDeliveryTraces } from '../webhooks/index.ts';

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly accounts: RememberedAccounts;
  readonly apiKeys: Pick<ApiKeys, 'list'>;
  readonly consents: Consents;
  readonly credentials: Credentials;
  readonly devices: Devices;
  readonly notifications: Notifications;
  readonly oneTimeSecrets: OneTimeSecrets;
  readonly passkeys: Passkeys;
  readonly passwordPolicy: PasswordPolicy;
  readonly revocations: Revocations;
  readonly sessions: Sessions;
  /** Seconds that the longest-lived session or token of an account may still last. */
  readonly longestSeconds: number;
}

export interface AccountParts {
  readonly accountLife: AccountLife;
  readonly registration: Registration;
  readonly recovery: Recovery;
  readonly accountData: AccountData;
}

/** Milliseconds that answer to whoever asks about an address: ten times what the work behind them takes. */
const answerMilliseconds = 300;

const withToken =
  (path: string, name = 'token') =>
  (token: string): string =>
    `${path}?${name}=${encodeURIComponent(token)}`;

/** Where mails lead. */
export const mailPaths = {
  verifyEmail: withToken('/account/verify-email'),
  confirmEmailChange: withToken('/account/confirm-email'),
  acceptInvitation: withToken('/account/register', 'invitation'),
  resetPassword: withToken('/account/reset-password'),
  recover: withToken('/account/recover'),
  forgotten: '/account/forgot-password',
  signIn: '/account',
};

function sourcesOf({ database, passkeys, consents, sessions, devices, apiKeys }: Needs): ExportSources {
  return {
    factors: async (id) =>
      Object.entries(await createSqlFactorTimes(database)(id)).map(([kind, changedAt]) => ({ kind, changedAt })),
    passkeys: (id) => passkeys.list(id),
    consents: async (id) => (await consents.list(id)).map(({ accountId: _own, ...consent }) => consent),
    apiKeys: async (id) =>
      (await apiKeys.list({ owner: { kind: 'account', id } })).map(({ owner: _own, ...key }) => key),
    sessions: async (id) =>
      (await sessions.list(id)).map(({ accountId: _own, deviceHash: _hash, current: _current, ...session }) => session),
    devices: async (id) => ({
      known: (await devices.listKnown(id)).map(({ deviceHash: _hash, ...device }) => device),
      remembered: (await devices.listRemembered(id)).map(({ accountId: _own, deviceHash: _hash, ...device }) => device),
    }),
  };
}

/** How accounts begin, are recovered and end. */
export function createAccountParts(needs: Needs): AccountParts {
  const { config, database, clock, revocations, sessions, oneTimeSecrets, accounts } = needs;
  const { links, codes } = oneTimeSecrets;
  const transaction = <T>(work: () => Promise<T>): Promise<T> => database.transaction(work);
  const endAccess =
    (ended: EndReason) =>
    async (id: AccountId, by: Actor, reason: string): Promise<void> => {
      await revocations.revoke({
        kind: 'account',
        id,
        expiresAt: clock.now() + needs.longestSeconds * 1000,
        reason,
        by,
      });
      await sessions.endRevoked(id, by, ended);
    };
  const accountLife = createAccountLife({
    ...needs,
    store: createSqlAccountLifeStore(database),
    endAccess: endAccess('account-disabled'),
    changing: accounts.changing,
  });
  const answerTime = createAnswerTime(answerMilliseconds);
  const throttle = createSqlThrottleStore(database);
  const traces = [createAuditTraces(database), createDeliveryTraces(createSqlDeliveryTraceStore(database))];
  const forget = async (ids: readonly AccountId[]): Promise<void> => {
    for (const id of ids) {
      await links.revokeAll(id);
      await codes.revokeAll(id);
      await needs.notifications.forget(id);
    }
    for (const trace of traces) await trace.erase(ids);
  };
  const registration = createRegistration({
    ...needs,
    life: accountLife,
    links,
    confirmed: createSqlConfirmedLinkStore(database),
    pending: createSqlPendingRegistrationStore(database),
    forget,
    policy: {
      mode: config.SALLYPORT_REGISTRATION,
      domains: config.SALLYPORT_REGISTRATION_DOMAINS,
      unverifiedDays: config.SALLYPORT_UNVERIFIED_DAYS,
    },
    paths: { ...mailPaths, resetPassword: mailPaths.forgotten },
    answerTime,
    transaction,
  });
  return {
    accountLife,
    registration,
    recovery: createRecovery({
      ...needs,
      life: accountLife,
      links,
      tries: createSqlRecoveryTryStore(database),
      paths: { ...mailPaths, askForReset: mailPaths.forgotten },
      answerTime,
      endAccess: endAccess('factor-changed'),
      disown: (id) => registration.disown(id),
      unpause: (account) => throttle.lift(account.id, nameKeysOf(account)),
      transaction,
    }),
    accountData: createAccountData({
      ...needs,
      life: accountLife,
      links,
      codes,
      sources: sourcesOf(needs),
      traces,
      policy: { deletionDays: config.SALLYPORT_DELETION_DAYS },
      transaction,
    }),
  };
}
