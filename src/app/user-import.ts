import { createSqlAccountStore } from '../accounts/account-store-sql.ts';
import { type Accounts, createAccounts } from '../accounts/index.ts';
import type { AuditLog } from '../audit/index.ts';
import { createSqlCredentialStore } from '../credentials/credential-store-sql.ts';
import { createCredentialImport, type PasswordMemory } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import type { Database } from '../storage/database.ts';
import { createUserImport, type UserImport } from '../user-import/index.ts';
import { createSqlUserImportStore } from '../user-import/user-import-store-sql.ts';

interface Needs {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly secrets: SecretRing;
  readonly accounts: Accounts;
  readonly passwordMemory: PasswordMemory;
}

/** Users of other systems. Their accounts are made as any other, and the audit event says from where they came. */
export function createImport({ database, clock, audit, secrets, accounts, passwordMemory }: Needs): UserImport {
  const accountStore = createSqlAccountStore(database);
  return createUserImport({
    store: createSqlUserImportStore(database),
    clock,
    audit,
    accounts,
    createAccount: (input, by, details) =>
      createAccounts({
        store: accountStore,
        clock,
        audit: { ...audit, record: (event) => audit.record({ ...event, details: { ...event.details, ...details } }) },
      }).create(input, by),
    suspend: (id, by) => accounts.disable(id, by),
    credentials: createCredentialImport({
      store: createSqlCredentialStore(database),
      memory: passwordMemory,
      clock,
      secrets,
    }),
  });
}
