import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { AuditContext } from './audit-context.ts';
import { type BackupCodes, createBackupCodes } from './backup-codes.ts';
import type { CredentialStore, Factors } from './credential-store.ts';
import { ignoresEndOf } from './foreign-hash.ts';
import { isStale, maxPasswordLength, normalisePassword } from './password.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { PasswordSettingsLookup } from './password-policy.ts';
import type { PasswordRecordStore } from './password-record-store.ts';
import { lengthOf } from './password-rules.ts';
import { resealTotps } from './reseal-totp.ts';
import { createTotpFactor, type TotpFactor } from './totp-factor.ts';

/** How accounts prove who they are. */
export interface Credentials {
  /**
   * Sets or replaces the password; whether it is a good one is the policy's question.
   * @throws AppError `invalid_input` for an impossible one, `unavailable` when overloaded
   */
  setPassword(accountId: AccountId, password: string | PreparedPassword, context?: PasswordContext): Promise<void>;
  /**
   * Does what is slow about {@link Credentials.setPassword}, for callers that set a password inside a transaction: hashed
   * there, it would hold a connection meanwhile. @throws AppError as `setPassword`.
   */
  preparePassword(password: string): Promise<PreparedPassword>;
  /**
   * Whether the account has this password. It takes the same work for a wrong password, an account without one and no
   * account at all. @throws AppError `unavailable` when overloaded.
   */
  verifyPassword(accountId: AccountId | undefined, password: string): Promise<boolean>;
  /** Reads in one statement what an account proves itself with; for no account it looks in vain, at the same cost. */
  lookUp(accountId: AccountId | undefined): Promise<OnFile>;
  factorsOf(accountId: AccountId): Promise<Factors>;
  readonly totp: TotpFactor;
  readonly backupCodes: BackupCodes;
  /** Seals all authenticators with the newest secret. `left` is 0 when older secrets are no longer needed here. */
  resealTotps(): Promise<{ readonly resealed: number; readonly left: number }>;
  /** Drops enrolments that nobody finished, and says how many. */
  purge(): Promise<number>;
}

/** What an account proves itself with, as it was at one moment. */
export interface OnFile {
  readonly factors: Factors;
  /** As {@link Credentials.verifyPassword}, with the password of that moment. */
  verifyPassword(password: string): Promise<boolean>;
  /** Does the work of a wrong password whatever it is, and says and keeps nothing of it. @throws AppError `unavailable` */
  refusePassword(password: string): Promise<void>;
}

/** Who sets a password, and whether its owner has to choose another one at the next sign-in. */
export interface PasswordContext extends AuditContext {
  readonly mustChange?: boolean | undefined;
}

/** A password that is hashed already. It fits any account. */
export interface PreparedPassword {
  readonly hash: string;
  /** Code points after normalisation. */
  readonly length: number;
}

/** What is remembered of passwords, and for how long. */
export interface PasswordMemory {
  readonly store: PasswordRecordStore;
  readonly settingsFor: PasswordSettingsLookup;
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
  /** Left out, passwords have neither a history nor marks. */
  readonly memory?: PasswordMemory;
}

async function preparePassword({ hasher }: CredentialsOptions, password: string): Promise<PreparedPassword> {
  const text = normalisePassword(password);
  if (text === undefined) {
    const message = `A password has 1 to ${maxPasswordLength} characters.`;
    throw new AppError('invalid_input', message, { fields: { password: message } });
  }
  return { hash: await hasher.hash(text), length: lengthOf(text) };
}

async function setPassword(
  needs: CredentialsOptions,
  accountId: AccountId,
  password: string | PreparedPassword,
  { mustChange = false, ...context }: PasswordContext,
): Promise<void> {
  const { store, clock, audit, memory } = needs;
  const settings = await memory?.settingsFor(accountId);
  const { hash, length } = typeof password === 'string' ? await preparePassword(needs, password) : password;
  await store.transaction(async () => {
    const first = (await store.passwords.find(accountId)) === undefined;
    const setAt = clock.now();
    await store.passwords.put(accountId, hash, setAt);
    if (memory && settings) {
      const shortAlone = length < settings.minLength;
      await memory.store.put(accountId, { hash, setAt, keep: settings.history, mustChange, shortAlone });
    }
    await audit.record({
      actor: { kind: 'account', id: accountId },
      ...context,
      type: 'password.changed',
      outcome: 'success',
      subject: accountId,
      details: { first, ...(mustChange && { mustChange }) },
    });
  });
}

/** Brings the hash of a password that was just proven to the current cost. It can wait, so no failure is the person's. */
async function rehash(
  { store, audit, hasher, logger, memory }: CredentialsOptions,
  accountId: AccountId,
  old: string,
  text: string,
): Promise<void> {
  try {
    const hash = await hasher.hash(text);
    await store.transaction(async () => {
      if (!(await store.passwords.replace(accountId, old, hash))) return;
      await memory?.store.replaceHash(accountId, old, hash);
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

/** The text of a password that is right. */
async function compare(
  { hasher, logger }: CredentialsOptions,
  accountId: AccountId | undefined,
  stored: string | undefined,
  password: string,
): Promise<string | undefined> {
  const text = normalisePassword(password);
  if (text === undefined) return undefined;
  const result = await hasher.verify(stored, text, password);
  if (result === 'malformed') logger.error({ accountId }, 'The stored password hash of this account cannot be read.');
  return result === 'match' ? text : undefined;
}

async function verifyPassword(
  needs: CredentialsOptions,
  accountId: AccountId | undefined,
  stored: string | undefined,
  password: string,
): Promise<boolean> {
  const text = await compare(needs, accountId, stored, password);
  if (text === undefined || accountId === undefined || stored === undefined) return false;
  const stale = isStale(stored, needs.hasher.cost) && !ignoresEndOf(stored, password);
  if (stale) await rehash(needs, accountId, stored, text);
  return true;
}

async function lookUp(needs: CredentialsOptions, accountId: AccountId | undefined): Promise<OnFile> {
  const { hash, factors } = await needs.store.lookUp(accountId);
  return {
    factors,
    verifyPassword: (password) => verifyPassword(needs, accountId, hash, password),
    async refusePassword(password) {
      await compare(needs, accountId, hash, password);
    },
  };
}

/** Makes the credentials domain. */
export const createCredentials = (options: CredentialsOptions): Credentials => ({
  setPassword: (accountId, password, context = {}) => setPassword(options, accountId, password, context),
  preparePassword: (password) => preparePassword(options, password),
  verifyPassword: async (accountId, password) => (await lookUp(options, accountId)).verifyPassword(password),
  lookUp: (accountId) => lookUp(options, accountId),
  factorsOf: (accountId) => options.store.factorsOf(accountId),
  totp: createTotpFactor(options),
  backupCodes: createBackupCodes(options),
  resealTotps: () => resealTotps(options.store.sealedTotps, options.secrets),
  purge: () => options.store.totp.purgePending(options.clock.now()),
});
