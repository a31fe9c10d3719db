import type { AccountId } from '../shared/ids.ts';
import type { DeviceDescription } from './describe-device.ts';
import type { KnownDevice } from './device.ts';

/** A sighting, ready to be stored. */
export interface Sighting {
  readonly accountId: AccountId;
  readonly deviceHash: string;
  readonly device: DeviceDescription;
  readonly ip: string | undefined;
  readonly now: number;
}

/** Where known browsers are kept. */
export interface DeviceStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Counts a sign-in with this browser: whether it was the first one, and whether the account had other browsers. */
  see(sighting: Sighting): Promise<{ readonly isNew: boolean; readonly hasOthers: boolean }>;
  /** The same for a browser that is known to be one of the account's: nobody waits for it. */
  seeAgain(sighting: Sighting): Promise<void>;
  /** Whether it was seen since. One look-up by primary key. */
  isKnown(accountId: string, deviceHash: string, since: number): Promise<boolean>;
  /** Newest first. */
  list(accountId: AccountId, since: number): Promise<KnownDevice[]>;
  /** Deletes those beyond the `keep` that were seen last. */
  trim(accountId: AccountId, keep: number): Promise<void>;
  /** False when there was none. */
  forget(accountId: AccountId, deviceHash: string): Promise<boolean>;
  /** Deletes up to `limit` that were not seen since `before`, and says how many. */
  purge(before: number, limit: number): Promise<number>;
}
