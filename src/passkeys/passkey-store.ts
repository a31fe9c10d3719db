import type { AccountId } from '../shared/ids.ts';
import type { CeremonyStore } from './ceremony-store.ts';
import type { StoredPasskey } from './passkey.ts';

/** What a good assertion changes. */
export interface PasskeyUse {
  readonly signCount: number;
  readonly backedUp: boolean;
  readonly at: number;
}

/** Where passkeys are kept. */
export interface PasskeyStore {
  readonly ceremonies: CeremonyStore;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Adds one unless the account has `most` already, or anybody has this credential; many callers at once add no more. */
  add(passkey: StoredPasskey, most: number): Promise<'added' | 'full' | 'taken'>;
  /** The passkey with this credential, and the handle of its owner. */
  find(credentialId: string): Promise<{ readonly passkey: StoredPasskey; readonly handle: string } | undefined>;
  /** Oldest first. */
  list(accountId: AccountId): Promise<StoredPasskey[]>;
  count(accountId: AccountId): Promise<number>;
  /**
   * Notes a use, in one statement. A device-bound passkey whose counter did not grow is refused: false. Of two callers
   * with the same count one hears true.
   */
  use(id: string, use: PasskeyUse): Promise<boolean>;
  rename(accountId: AccountId, id: string, name: string): Promise<StoredPasskey | undefined>;
  /** Those that were removed: the one with this id, or all of the account. */
  remove(accountId: AccountId, id?: string): Promise<StoredPasskey[]>;
}
