import { createDomains, type Domains } from '../../src/app/domains.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createRecovery, type Recovery } from '../../src/recovery/index.ts';
import { createSqlRecoveryTryStore } from '../../src/recovery/recovery-try-store-sql.ts';
import { createSqlConfirmedLinkStore } from '../../src/registration/confirmed-link-store-sql.ts';
import {
  type AnswerTime,
  createRegistration,
  type Registration,
  type RegistrationPolicy,
} from '../../src/registration/index.ts';
import { createSqlPendingRegistrationStore } from '../../src/registration/pending-registration-store-sql.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { randomText } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { nameKeysOf } from '../../src/sign-in/throttle.ts';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.ts';
import type { Database } from '../../src/storage/database.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

export const operator = { kind: 'operator' } as const;
export const meta = { ip: '203.0.113.7', userAgent: 'curl/8.5.0', requestId: 'req_1' };
/** What the browser keeps that registers in these tests. */
export const sameBrowser = { browser: 'b'.repeat(43) };
/** A password that the policy takes. */
export const goodPassword = (): string => `meadow lantern ${randomText(12)}`;
export const newAddress = (): string => `p${randomText(12)}@people.example`;

export interface Mail {
  readonly template: string;
  readonly status: string;
  readonly text: string;
  /** The token of its link. */
  readonly token: string;
}

export interface World extends AsyncDisposable {
  readonly database: Database;
  readonly clock: FixedClock;
  readonly domains: Domains;
  /** The domain with a policy of its own and without the wait for its answers. */
  registration(policy?: Partial<RegistrationPolicy>, answerTime?: AnswerTime): Registration;
  recovery(answerTime?: AnswerTime): Recovery;
  /** The mails to an address, oldest first. */
  mails(to: string): Promise<Mail[]>;
  /** The last one, of that kind. */
  lastMail(to: string, template: string): Promise<Mail>;
  /** An account with a password, confirmed like a person's own. */
  person(extra?: { username?: string }): Promise<Person>;
}

export interface Person {
  readonly id: Awaited<ReturnType<Domains['accounts']['create']>>['id'];
  readonly email: string;
  readonly password: string;
}

const direct: AnswerTime = (work) => work();

/** Every domain on a database, with a clock that stands still. */
export async function createWorld(lane: SqlLane): Promise<World> {
  const database = await testDatabase(lane);
  const config = loadConfig({
    NODE_ENV: 'test',
    SALLYPORT_SECRETS: 'test-secret-test-secret-test-secret-test',
    SALLYPORT_ARGON2_MEMORY_KIB: '7168',
    SALLYPORT_ARGON2_PASSES: '1',
    SALLYPORT_DEMO: 'false',
  });
  const clock = new FixedClock();
  const domains = createDomains(config, database, clock, silentLogger());
  const transaction = <T>(work: () => Promise<T>): Promise<T> => database.transaction(work);
  const common = { ...domains, life: domains.accountLife, links: domains.oneTimeSecrets.links, clock, transaction };
  const withToken =
    (path: string) =>
    (token: string): string =>
      `/account/${path}?token=${token}`;

  const mails = async (to: string): Promise<Mail[]> => {
    const rows = (await database.sql('outbox').where({ recipient: to }).orderBy('created_at').select('id')) as {
      id: string;
    }[];
    const found: Mail[] = [];
    for (const { id } of rows) {
      const { template = '', status = '', content } = (await domains.notifications.find(id)) ?? {};
      const text = content?.text ?? '';
      found.push({ template, status, text, token: /\?token=([\w-]+)/.exec(text)?.[1] ?? '' });
    }
    return found;
  };

  return {
    database,
    clock,
    domains,
    mails,
    registration: (policy = {}, answerTime = direct) =>
      createRegistration({
        ...common,
        confirmed: createSqlConfirmedLinkStore(database),
        pending: createSqlPendingRegistrationStore(database),
        forget: async (ids) => {
          for (const id of ids) await domains.oneTimeSecrets.links.revokeAll(id);
        },
        policy: { mode: 'open', domains: [], unverifiedDays: 7, ...policy },
        paths: {
          verifyEmail: withToken('verify-email'),
          confirmEmailChange: withToken('confirm-email'),
          acceptInvitation: withToken('register'),
        },
        answerTime,
      }),
    recovery: (answerTime = direct) =>
      createRecovery({
        ...common,
        tries: createSqlRecoveryTryStore(database),
        disown: (id) => domains.registration.disown(id),
        unpause: (account) => createSqlThrottleStore(database).lift(account.id, nameKeysOf(account)),
        paths: { resetPassword: withToken('reset-password'), recover: withToken('recover') },
        endAccess: async (id, by, reason) =>
          domains.revocations.revoke({ kind: 'account', id, expiresAt: clock.now() + 86_400_000, reason, by }),
        answerTime,
      }),
    async lastMail(to, template) {
      const mail = (await mails(to)).findLast((one) => one.template === template);
      if (!mail) throw new Error(`No ${template} was sent to ${to}.`);
      return mail;
    },
    async person({ username } = {}) {
      const [email, password] = [newAddress(), goodPassword()];
      const account = await domains.accounts.create(
        { email, emailVerified: true, ...(username !== undefined && { username }) },
        operator,
      );
      await domains.credentials.setPassword(account.id, password);
      return { id: account.id, email, password };
    },
    async [Symbol.asyncDispose]() {
      await domains.hasher[Symbol.asyncDispose]();
      await domains.passwordPolicy[Symbol.asyncDispose]();
    },
  };
}
