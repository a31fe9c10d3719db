import { randomBytes } from 'node:crypto';
import type { AuditLog } from '../audit/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { AuditContext } from './audit-context.ts';
import { backupCodeCount, newBackupCode, readBackupCode } from './backup-code.ts';
import type { BackupCodeHashing } from './backup-code-store.ts';
import type { CredentialStore } from './credential-store.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** Ten new codes that nobody has yet, and their hashes. */
export interface PreparedCodes {
  readonly codes: readonly string[];
  readonly hashing: BackupCodeHashing;
  readonly hashes: readonly string[];
}

/**
 * Codes for the day the authenticator is lost: ten of 80 random bits, each good once. Under 112 bits, ASVS 5.0 §6.5.2
 * and NIST SP 800-63B-4 want a salted password hash, so they are argon2id; one salt per set, so that one hash and one
 * update find and spend a code.
 */
export interface BackupCodes {
  /** Replaces all codes of the account. They are shown once, here. @throws AppError `unavailable`. */
  create(accountId: AccountId, context?: AuditContext): Promise<string[]>;
  /** Spends a code; false when it is none of theirs or was spent before. @throws AppError `unavailable`. */
  use(accountId: AccountId, code: string, context?: AuditContext): Promise<boolean>;
  /** The slow half of `create`, to be done outside a transaction. @throws AppError `unavailable`. */
  prepare(): Promise<PreparedCodes>;
  /** The quick half of `create`. */
  put(accountId: AccountId, prepared: PreparedCodes, context?: AuditContext): Promise<void>;
  /** The slow half of `use`: the hash of an unused code, undefined when there is no such code. @throws AppError `unavailable`. */
  match(accountId: AccountId, code: string): Promise<string | undefined>;
  /** The quick half of `use`: takes a matched code out of the set; of many callers at once exactly one hears true. */
  spend(accountId: AccountId, hash: string, context?: AuditContext): Promise<boolean>;
}

interface Needs {
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly hasher: PasswordHasher;
}

const toText = (hash: Uint8Array): string => Buffer.from(hash).toString('base64url');

async function hashAll(hasher: PasswordHasher, codes: readonly string[], { salt, cost }: BackupCodeHashing) {
  const hashes = await hasher.derive(codes, Buffer.from(salt, 'base64url'), cost);
  return hashes.map(toText);
}

async function prepare({ hasher }: Needs): Promise<PreparedCodes> {
  const hashing = { salt: randomBytes(16).toString('base64url'), cost: hasher.cost };
  const codes = Array.from({ length: backupCodeCount }, newBackupCode);
  const bare = codes.map((code) => readBackupCode(code) ?? code);
  return { codes, hashing, hashes: await hashAll(hasher, bare, hashing) };
}

/** Makes the backup-code part of the credentials domain. */
export function createBackupCodes(needs: Needs): BackupCodes {
  const { store, clock, audit, hasher } = needs;
  const codes: BackupCodes = {
    prepare: () => prepare(needs),

    put: (accountId, { hashing, hashes }, context = {}) =>
      store.transaction(async () => {
        const replaced = (await store.backupCodes.find(accountId)) !== undefined;
        await store.backupCodes.put(accountId, hashing, hashes, clock.now());
        await audit.record({
          actor: { kind: 'account', id: accountId },
          ...context,
          type: 'backup_codes.created',
          outcome: 'success',
          subject: accountId,
          ...(replaced && { details: { replaced } }),
        });
      }),

    async match(accountId, input) {
      const code = readBackupCode(input);
      const hashing = code === undefined ? undefined : await store.backupCodes.find(accountId);
      if (code === undefined || !hashing) return undefined;
      const [hash] = await hashAll(hasher, [code], hashing);
      return hash !== undefined && (await store.backupCodes.has(accountId, hash)) ? hash : undefined;
    },

    spend: (accountId, hash, context = {}) =>
      store.transaction(async () => {
        const left = await store.backupCodes.spend(accountId, hash);
        if (left === undefined) return false;
        await audit.record({
          actor: { kind: 'account', id: accountId },
          ...context,
          type: 'backup_code.used',
          outcome: 'success',
          subject: accountId,
          details: { left },
        });
        return true;
      }),

    async create(accountId, context) {
      const prepared = await codes.prepare();
      await codes.put(accountId, prepared, context);
      return [...prepared.codes];
    },

    async use(accountId, code, context) {
      const hash = await codes.match(accountId, code);
      return hash !== undefined && codes.spend(accountId, hash, context);
    },
  };
  return codes;
}
