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
  remove(accountId: AccountId, clientId: ClientId): Promise<boolean>;
}

export interface Consents {
  find(accountId: AccountId, clientId: ClientId): Promise<Consent | undefined>;
  /** Remembers that the person allowed this, on top of what they allowed before. */
  grant(accountId: AccountId, clientId: ClientId, permissions: Permissions): Promise<Consent>;
  list(accountId: AccountId): Promise<Consent[]>;
  /** Forgets everything they allowed this app; false when there was nothing. */
  remove(accountId: AccountId, clientId: ClientId): Promise<boolean>;
}

export const createConsents = (store: ConsentStore, clock: Clock): Consents => ({
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
