import { randomBytes } from 'node:crypto';
import { generateSync } from 'otplib';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.ts';
import { type Account, createAccounts } from '../../src/accounts/index.ts';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import {
  createCredentials,
  createPasswordHasher,
  createPasswordPolicy,
  createStrengthMeter,
  type PasswordSettings,
} from '../../src/credentials/index.ts';
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
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { asClientId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createSqlAccountFacts } from '../../src/sign-in/account-facts-sql.ts';
import { createSqlFlowStore } from '../../src/sign-in/flow-store-sql.ts';
import {
  createSignIn,
  type FlowView,
  type NewSignIn,
  type SignInParts,
  type SignInPolicy,
} from '../../src/sign-in/index.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import { type Authenticator, createAuthenticator } from '../passkeys/authenticator.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

const logger = silentLogger();
const operator = { kind: 'operator' } as const;
const issuer = 'https://id.example.com';
const meter = createStrengthMeter({ logger });

export const meta = { ip: '192.0.2.7', userAgent: 'mocha', requestId: 'req_test' };
export const password = 'correct horse battery staple';

export interface Person {
  readonly account: Account;
  readonly login: string;
  /** The secret of the authenticator, empty without one. */
  readonly secret: string;
  readonly backupCodes: readonly string[];
}

/** One cheap hasher for all tests of this folder; it lets the process end by itself. */
export const hasher = createPasswordHasher({ memoryKiB: 256, passes: 1, workers: 2, queue: 500, logger });

/** The sign-in domain on real parts, with a clock of its own. */
export async function createFixture(lane: SqlLane, change: Partial<SignInPolicy> = {}) {
  const database = await testDatabase(lane);
  const clock = new FixedClock();
  const audit = createAuditLog(createSqlAuditStore(database), clock);
  const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
  const secrets = new SecretRing(['a'.repeat(40)]);
  const records = createSqlPasswordRecordStore(database);
  const settings: PasswordSettings = {
    minLength: 15,
    minLengthWithSecondFactor: 8,
    minScore: 3,
    classes: {},
    maxAgeDays: 90,
    history: 1,
  };
  const settingsFor = async () => settings;
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
    serviceWords: [],
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
    rp: relyingPartyOf(issuer, 'Sallyport', []),
  });
  const devices = createDevices({
    store: createSqlDeviceStore(database),
    remembered: createSqlRememberedStore(database),
    clock,
    audit,
    policy: { rememberDays: 30 },
  });
  const oneTimeSecrets = createOneTimeSecrets({
    links: createSqlLinkStore(database),
    codes: createSqlCodeStore(database),
    clock,
    secrets,
  });
  const mails: { readonly to: string; readonly template: string; readonly data: { code?: string; path?: string } }[] =
    [];
  const policy: SignInPolicy = {
    lockoutTries: 5,
    lockoutSeconds: 1800,
    challengeSeconds: 600,
    flowSeconds: 3600,
    codeTries: 5,
    ...change,
  };
  const parts = {
    revocations: createRevocations({ store: createSqlRevocationStore(database), clock, audit }),
    flows: createSqlFlowStore(database),
    throttle: createSqlThrottleStore(database),
    facts: createSqlAccountFacts(database),
    accounts,
    credentials,
    passwordPolicy,
    passkeys,
    devices,
    codes: oneTimeSecrets.codes,
    links: oneTimeSecrets.links,
    notifications: {
      send: async (mail: object) => {
        mails.push(mail as (typeof mails)[number]);
        return 'pending' as const;
      },
    } as SignInParts['notifications'],
    registration: {
      resend: async (email: string) => {
        mails.push({ to: email, template: 'verify-email', data: {} });
        return { outcome: 'accepted' as const };
      },
    },
    answerTime: <T>(work: () => Promise<T>) => work(),
    audit,
    clock,
    policy,
    logger,
  };
  const signIn = createSignIn(parts);

  const codeOf = ({ secret }: Pick<Person, 'secret'>, offset = 0): string =>
    generateSync({ secret, epoch: Math.floor(clock.now() / 1000) + offset * 30 });

  return {
    database,
    clock,
    audit,
    accounts,
    credentials,
    passwordPolicy,
    passkeys,
    devices,
    mails,
    parts,
    signIn,
    codeOf,

    /** A six-digit code that no step near now has. */
    wrongCode(person: Pick<Person, 'secret'>): string {
      const near = [-2, -1, 0, 1, 2].map((offset) => codeOf(person, offset));
      return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code)) ?? '';
    },

    async person(factors: { totp?: boolean } = {}): Promise<Person> {
      const login = `user-${randomBytes(6).toString('hex')}`;
      const account = await accounts.create({ username: login, email: `${login}@example.com` }, operator);
      await credentials.setPassword(account.id, password);
      if (!factors.totp) return { account, login, secret: '', backupCodes: [] };
      const { secret } = await credentials.totp.begin(account.id, login);
      // With the code of the step before, so that the current one is still good.
      await credentials.totp.confirm(account.id, codeOf({ secret }, -1));
      return { account, login, secret, backupCodes: await credentials.backupCodes.create(account.id) };
    },

    /** Adds a passkey, whose authenticator is returned. */
    async passkeyOf({ account }: Pick<Person, 'account'>): Promise<Authenticator> {
      const authenticator = createAuthenticator({ origin: issuer });
      const options = await passkeys.beginRegistration(account, 'registering');
      await passkeys.finishRegistration(account, 'registering', authenticator.create(options));
      return authenticator;
    },

    /** Opens a flow of its own and says its id. */
    async flow(input: Partial<NewSignIn> = {}): Promise<string> {
      const id = randomBytes(16).toString('base64url');
      await signIn.open(id, { clientId: asClientId('app_test'), requirement: { secondFactor: false }, ...input });
      return id;
    },

    submit: (flowId: string, { login }: Pick<Person, 'login'>, given = password) =>
      signIn.submitPassword(flowId, { login, password: given }, meta),

    /** The audit types of an account, oldest first, without those of its making. */
    async history({ account }: Pick<Person, 'account'>): Promise<string[]> {
      const rows = await audit.list({ subject: account.id, limit: 200 });
      const setUp = new Set([
        'account.created',
        'password.changed',
        'second_factor.enrolled',
        'backup_codes.created',
        'passkey.added',
      ]);
      return rows.map(({ type }) => type as string).filter((type) => !setUp.has(type));
    },
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;

/** What the pages are given, without what a stranger must not learn. */
export const stepOf = (result: { view?: FlowView }): string | undefined => result.view?.step;
