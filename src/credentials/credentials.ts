import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { AuditContext } from './audit-context.ts';
import { type BackupCodes, createBackupCodes } from './backup-codes.ts';
import type { CredentialStore, Factors } from './credential-store.ts';
import { isStale, maxPasswordLength, normalisePassword } from './password.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { createTotpFactor, type TotpFactor } from './totp-factor.ts';

/** How accounts prove who they are. */
export interface Credentials {
  /** Sets or replaces the password. @throws AppError `invalid_input` for an impossible one, `unavailable` when overloaded. */
  setPassword(accountId: AccountId, password: string, context?: AuditContext): Promise<void>;
  /**
   * Whether the account has this password. It takes the same work for a wrong password, an account without one and no
   * account at all. @throws AppError `unavailable` when overloaded.
   */
  verifyPassword(accountId: AccountId | undefined, password: string): Promise<boolean>;
  factorsOf(accountId: AccountId): Promise<Factors>;
  readonly totp: TotpFactor;
  readonly backupCodes: BackupCodes;
  /** Drops enrolments that nobody finished, and says how many. */
  purge(): Promise<number>;
}

export interface CredentialsOptions {
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly secrets: SecretRing;
  readonly hasher: PasswordHasher;
  /** The name that authenticator apps show. */
  readonly issuerName: string;
  readonly logger: Logger;
}

async function setPassword(
  { store, clock, audit, hasher }: CredentialsOptions,
  accountId: AccountId,
  password: string,
  context: AuditContext,
): Promise<void> {
  const text = normalisePassword(password);
  if (text === undefined) {
    const message = `A password has 1 to ${maxPasswordLength} characters.`;
    throw new AppError('invalid_input', message, { fields: { password: message } });
  }
  const hash = await hasher.hash(text);
  await store.transaction(async () => {
    const first = (await store.passwords.find(accountId)) === undefined;
    await store.passwords.put(accountId, hash, clock.now());
    await audit.record({
      actor: { kind: 'account', id: accountId },
      ...context,
      type: 'password.changed',
      outcome: 'success',
      subject: accountId,
      details: { first },
    });
  });
}

/** Brings the hash of a password that was just proven to the current cost. It can wait, so no failure is the person's. */
async function rehash(
  { store, audit, hasher, logger }: CredentialsOptions,
  accountId: AccountId,
  old: string,
  text: string,
): Promise<void> {
  try {
    const hash = await hasher.hash(text);
    await store.transaction(async () => {
      if (!(await store.passwords.replace(accountId, old, hash))) return;
      await audit.record({
        type: 'password.rehashed',
        actor: { kind: 'system' },
        outcome: 'success',
        subject: accountId,
      });
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.warn({ accountId, reason: reasonOf(error) }, 'A password keeps its old hash until the next sign-in.');
  }
}

async function verifyPassword(
  needs: CredentialsOptions,
  accountId: AccountId | undefined,
  password: string,
): Promise<boolean> {
  const { store, hasher, logger } = needs;
  const text = normalisePassword(password);
  if (text === undefined) return false;
  const stored = await store.passwords.find(accountId);
  const result = await hasher.verify(stored, text);
  if (result === 'malformed') logger.error({ accountId }, 'The stored password hash of this account cannot be read.');
  if (result !== 'match' || accountId === undefined || stored === undefined) return false;
  if (isStale(stored, hasher.cost)) await rehash(needs, accountId, stored, text);
  return true;
}

/** Makes the credentials domain. */
export const createCredentials = (options: CredentialsOptions): Credentials => ({
  setPassword: (accountId, password, context = {}) => setPassword(options, accountId, password, context),
  verifyPassword: (accountId, password) => verifyPassword(options, accountId, password),
  factorsOf: (accountId) => options.store.factorsOf(accountId),
  totp: createTotpFactor(options),
  backupCodes: createBackupCodes(options),
  purge: () => options.store.totp.purgePending(options.clock.now()),
});
