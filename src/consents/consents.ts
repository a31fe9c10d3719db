import type { Clock } from '../shared/clock.ts';
import type { AccountId, ClientId } from '../shared/ids.ts';
import { type Consent, joinPermissions, type Permissions } from './consent.ts';

export interface ConsentStore {
  find(accountId: AccountId, clientId: ClientId): Promise<Consent | undefined>;
  /** Adds to what is there, in one atomic step; two grants at once lose nothing. */
  merge(
    accountId: AccountId,
    clientId: ClientId,
    change: (before: Consent | undefined) => Permissions,
    now: number,
  ): Promise<Consent>;
  listByAccount(accountId: AccountId): Promise<Consent[]>;
  /** Writes down that the app was used, unless that is written since `dueBefore` or there is no consent. */
  noteUse(accountId: AccountId, clientId: ClientId, now: number, dueBefore: number): Promise<void>;
  remove(accountId: AccountId, clientId: ClientId): Promise<boolean>;
}

export interface Consents {
  find(accountId: AccountId, clientId: ClientId): Promise<Consent | undefined>;
  /** Remembers that the person allowed this, on top of what they allowed before. */
  grant(accountId: AccountId, clientId: ClientId, permissions: Permissions): Promise<Consent>;
  /** Last changed first. */
  list(accountId: AccountId): Promise<Consent[]>;
  /** Says that the app got a token of this person. One statement an hour for each of both. */
  noteUse(accountId: AccountId, clientId: ClientId): Promise<void>;
  /** Forgets everything they allowed this app; false when there was nothing. */
  remove(accountId: AccountId, clientId: ClientId): Promise<boolean>;
}

const useInterval = 3_600_000;
const remembered = 10_000;

/** Remembers for an hour whose use is written down, so that a busy app costs one statement an hour. */
function createUseNotes(store: ConsentStore, clock: Clock): Consents['noteUse'] {
  const written = new Map<string, number>();
  return async (accountId, clientId) => {
    const key = `${accountId} ${clientId}`;
    const now = clock.now();
    if ((written.get(key) ?? 0) > now - useInterval) return;
    written.delete(key);
    const [oldest] = written.keys();
    if (written.size >= remembered && oldest !== undefined) written.delete(oldest);
    written.set(key, now);
    await store.noteUse(accountId, clientId, now, now - useInterval);
  };
}

export const createConsents = (store: ConsentStore, clock: Clock): Consents => ({
  noteUse: createUseNotes(store, clock),
  find: (accountId, clientId) => store.find(accountId, clientId),
  grant: (accountId, clientId, permissions) =>
    store.merge(
      accountId,
      clientId,
      (before) => (before ? joinPermissions(before, permissions) : permissions),
      clock.now(),
    ),
  list: (accountId) => store.listByAccount(accountId),
  remove: (accountId, clientId) => store.remove(accountId, clientId),
});
