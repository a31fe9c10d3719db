import type { Account, Accounts, NewAccount } from '../accounts/index.ts';
import type { Actor, AuditEvent, AuditLog } from '../audit/index.ts';
import type { CredentialImport } from '../credentials/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import type { UserImportStore } from './user-import-store.ts';

/** What the import works with. */
export interface UserImportParts {
  readonly store: UserImportStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly accounts: Pick<Accounts, 'findByLogin'>;
  /** As `Accounts.create`, with facts for its audit event. */
  readonly createAccount: (
    input: NewAccount,
    by: Actor,
    details: NonNullable<AuditEvent['details']>,
  ) => Promise<Account>;
  readonly suspend: (id: AccountId, by: Actor) => Promise<unknown>;
  readonly credentials: CredentialImport;
}
