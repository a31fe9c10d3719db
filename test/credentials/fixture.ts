import { randomBytes } from 'node:crypto';
import { generateSync } from 'otplib';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.ts';
import { createAuditLog } from '../../src/audit/index.ts';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.ts';
import {
  type Credentials,
  createCredentials,
  createPasswordHasher,
  type PasswordHasher,
} from '../../src/credentials/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { type AccountId, newAccountId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { type SqlLane, testDatabase } from '../support/database.ts';

export const logger = silentLogger();
export const oldSecret = 'a'.repeat(40);
export const newSecret = 'b'.repeat(40);

/** One cheap hasher for all tests of this folder; it lets the process end by itself. */
export const hasher = createPasswordHasher({ memoryKiB: 256, passes: 1, workers: 2, queue: 500, logger });

/** The credentials domain on real parts, with a clock of its own. */
export async function createFixture(lane: SqlLane) {
  const database = await testDatabase(lane);
  const clock = new FixedClock();
  const audit = createAuditLog(createSqlAuditStore(database), clock);

  const make = (change: { hasher?: PasswordHasher; secrets?: readonly string[] } = {}): Credentials =>
    createCredentials({
      store: createSqlCredentialStore(database),
      clock,
      audit,
      secrets: new SecretRing(change.secrets ?? [oldSecret]),
      hasher: change.hasher ?? hasher,
      issuerName: 'Sallyport',
      logger,
    });

  return {
    database,
    clock,
    credentials: make(),
    /** The same domain with other secrets or another hasher. */
    make,

    async newAccount(): Promise<AccountId> {
      const id = newAccountId();
      const email = `${randomBytes(6).toString('hex')}@example.com`;
      const now = new Date(clock.now());
      await database
        .sql('account')
        .insert({ id, email, email_key: email, status: 'active', created_at: now, updated_at: now });
      return id;
    },

    codeAt: (secret: string, offset = 0): string => generateSync({ secret, epoch: clock.now() / 1000 + offset * 30 }),

    auditTypes: async (id: AccountId): Promise<string[]> =>
      (await audit.list({ subject: id, limit: 50 })).map(({ type }) => type),
  };
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>;
