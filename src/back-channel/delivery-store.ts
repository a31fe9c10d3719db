import type { AccountId, ClientId } from '../shared/ids.ts';
import type { DeliveryStatus, EndedForApps, LogoutDelivery } from './delivery.ts';

/** Who claims what. */
export interface Claim {
  readonly claim: string;
  readonly limit: number;
  readonly now: number;
  readonly leaseUntil: number;
  /** Apps that have enough under way. */
  readonly busy: readonly string[];
}

/** A claimed delivery, and whether its browser has signed in again in the same session. */
export type Claimed = LogoutDelivery & { readonly claim: string; readonly goesOn: boolean };

/** What became of a try. */
export type Outcome = { readonly answer?: number | undefined; readonly error?: string | undefined } & (
  | { readonly status: 'delivered' | 'failed' | 'superseded'; readonly at: number }
  | { readonly status: 'pending'; readonly nextAt: number }
);

/** Which deliveries to list. */
export interface DeliveryFilter {
  readonly clientId?: ClientId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly status?: DeliveryStatus | undefined;
  /** The last one of the page before, which need not be there any more. */
  readonly after?: Pick<LogoutDelivery, 'createdAt' | 'id'> | undefined;
  readonly limit: number;
}

/** Where deliveries wait and are remembered. */
export interface DeliveryStore {
  /** Adds one for each app that has a logout address, in the transaction that ends these sessions. Says how many. */
  add(ended: readonly EndedForApps[], now: number): Promise<number>;
  /** Takes due ones, each for one caller only, until `leaseUntil`; after that they are due again. */
  claim(claim: Claim): Promise<Claimed[]>;
  /** Ends a try. `delivered` always counts; any other outcome only while the claim is still this one. */
  settle(delivery: Pick<Claimed, 'id' | 'claim'>, outcome: Outcome): Promise<void>;
  find(id: string): Promise<LogoutDelivery | undefined>;
  /** Newest first. */
  list(filter: DeliveryFilter): Promise<LogoutDelivery[]>;
  /** How many there are of each status that has any. */
  count(): Promise<Partial<Record<DeliveryStatus, number>>>;
  /** Deletes up to `limit` that were settled before then, and says how many. */
  purge(before: number, limit: number): Promise<number>;
}
