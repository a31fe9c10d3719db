import { generateSync } from 'otplib';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { type Account, createAccounts } from '../../src/accounts/index.ts';
import { createSettings } from '../../src/app/account-settings.ts';
import { withEndedAccess } from '../../src/app/end-access.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import { createCredentials, createPasswordPolicy } from '../../src/credentials/index.ts';
import { createSqlPasswordRecordStore } from '../../src/credentials/password-record-store-sql.ts';
import { createSqlDeviceStore } from '../../src/devices/device-store-sql.ts';
import { createDevices } from '../../src/devices/index.ts';
import { createSqlRememberedStore } from '../../src/devices/remembered-store-sql.ts';
import { createSqlCodeStore } from '../../src/one-time-secrets/code-store-sql.ts';
import { createOneTimeSecrets } from '../../src/one-time-secrets/index.ts';
import { createSqlLinkStore } from '../../src/one-time-secrets/link-store-sql.ts';
import { createPasskeys, relyingPartyOf } from '../../src/passkeys/index.ts';
import { createSqlPasskeyStore } from '../../src/passkeys/passkey-store-sql.ts';
import { createRevocations } from '../../src/revocation/index.ts';
import { createSqlRevocationStore } from '../../src/revocation/revocation-store-sql.ts';
import { createSqlActivityStore } from '../../src/sessions/activity-store-sql.ts';
import { createSessions, type Sessions } from '../../src/sessions/index.ts';
import { createSqlSessionStore } from '../../src/sessions/session-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { AppError } from '../../src/shared/errors.ts';
import { randomText } from '../../src/shared/ids.ts';
import { createSqlFlowStore } from '../../src/sign-in/flow-store-sql.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import { hasher, logger } from '../credentials/fixture.ts';
import { defaults, meter } from '../credentials/password-fixture.ts';
import { createAuthenticator } from '../passkeys/authenticator.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

export const operator = { kind: 'operator' } as const;
export const origin = 'https://id.example.com';
export const oldPassword = 'correct horse battery pond';
export const newPassword = 'seven quiet lamps over water';
/** Enough beside a second factor only. */
export const shortPassword = 'Vq7#xLm2pT';
export const meta = { ip: '192.0.2.7', userAgent: 'Test', requestId: 'req_test' };
export const signInPolicy = {
  lockoutTries: 5,
  lockoutSeconds: 900,
  challengeSeconds: 600,
  flowSeconds: 3600,
  codeTries: 5,
};

/** The account-settings domain on real parts, with the audit log that ends access, and a clock of its own. */
export async function createFixture(lane: SqlLane) {
  const database = await testDatabase(lane);
  const clock = new FixedClock();
  const plain = createAuditLog(createSqlAuditStore(database), clock);
  const revocations = createRevocations({ store: createSqlRevocationStore(database), clock, audit: plain });
  const devices = createDevices({
    store: createSqlDeviceStore(database),
    remembered: createSqlRememberedStore(database),
    clock,
    audit: plain,
    policy: { rememberDays: 30 },
  });
  const sessions: Sessions = createSessions({
    store: createSqlSessionStore(database),
    activity: createSqlActivityStore(database),
    revocations,
    audit: plain,
    clock,
    policy: {
      limit: 0,
      onLimit: 'end-oldest',
      idleSeconds: 0,
      absoluteSeconds: 86_400,
      pendingSeconds: 600,
      grantSeconds: 86_400,
    },
    logger,
  });
  const audit = withEndedAccess(plain, {
    revocations,
    clock,
    longestSeconds: 86_400,
    sessions,
    devices,
    flows: createSqlFlowStore(database),
    links: createSqlLinkStore(database),
    codes: createSqlCodeStore(database),
  });
  const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
  const records = createSqlPasswordRecordStore(database);
  const settingsFor = async () => defaults;
  const secrets = new SecretRing(['a'.repeat(40)]);
  const credentials = createCredentials({
    store: createSqlCredentialStore(database),
    memory: { store: records, settingsFor },
    clock,
    audit,
    secrets,
    hasher,
    issuerName: 'Sallyport',
    logger,
  });
  const passwordPolicy = createPasswordPolicy({
    settingsFor,
    serviceWords: ['Sallyport'],
    records,
    hasher,
    meter,
    clock,
    audit,
    logger,
  });
  const passkeys = createPasskeys({
    store: createSqlPasskeyStore(database),
    clock,
    audit,
    rp: relyingPartyOf(origin, 'Sallyport', []),
  });
  const oneTimeSecrets = createOneTimeSecrets({
    links: createSqlLinkStore(database),
    codes: createSqlCodeStore(database),
    clock,
    secrets,
  });
  const settings = createSettings({
    database,
    oneTimeSecrets,
    credentials,
    passwordPolicy,
    passkeys,
    devices,
    audit,
    clock,
    logger,
    signInPolicy,
  });
  const codeAt = (secret: string, steps = 0): string =>
    generateSync({ secret, epoch: Math.floor(clock.now() / 1000) + steps * 30 });

  return {
    database,
    clock,
    credentials,
    passkeys,
    devices,
    sessions,
    revocations,
    links: oneTimeSecrets.links,
    throttle: createSqlThrottleStore(database),
    settings,
    codeAt,

    /** Somebody with a password, whose clock has moved on since. */
    async newPerson(password: string | undefined = oldPassword): Promise<Account> {
      const account = await accounts.create({ email: `${randomText(12)}@example.com` }, operator);
      if (password !== '') await credentials.setPassword(account.id, password);
      clock.advance(60);
      return account;
    },

    /** A second factor with backup codes, set up as a person does. */
    async enrol(account: Account, binding = 'here'): Promise<{ secret: string; backupCodes: readonly string[] }> {
      const { secret } = await settings.beginTotp(account, binding);
      const result = await settings.confirmTotp(account, { binding, code: codeAt(secret) });
      if (result.outcome !== 'confirmed') throw new Error(result.outcome);
      clock.advance(60);
      return { secret, backupCodes: result.backupCodes };
    },

    async addPasskey(account: Account, name = 'Phone') {
      const options = await settings.beginPasskey(account, 'here');
      const response = createAuthenticator({ origin }).create(options);
      return { response, passkey: await settings.addPasskey(account, { binding: 'here', response, name }) };
    },

    typesOf: async ({ id }: Account): Promise<string[]> =>
      (await plain.list({ subject: id, limit: 500 })).map(({ type }) => type),
    /** How often this happened to somebody. */
    countOf: async ({ id }: Account, type: string): Promise<number> =>
      (await plain.list({ subject: id, type, limit: 500 })).length,
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;

/** What became of many at once: outcomes and codes of refusals, with how often each came. */
export async function tally(work: readonly Promise<{ readonly outcome: string } | unknown>[]) {
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected' && !(result.reason instanceof AppError)) throw result.reason;
    const value = result.status === 'fulfilled' ? result.value : undefined;
    const name =
      result.status === 'rejected'
        ? (result.reason as AppError).code
        : ((value as { outcome?: string } | undefined)?.outcome ?? 'done');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
