import type { AccountId } from '../shared/ids.ts';

/**
 * What is known of accounts in tables that do not refer to the row of the account, and so do not go with it. Each is
 * named, so that an export and a purge can say where they are.
 */
export interface PersonalTraces {
  readonly name: string;
  /** Makes these accounts unrecognisable there; part of the caller's transaction. */
  erase(accountIds: readonly AccountId[]): Promise<void>;
}
