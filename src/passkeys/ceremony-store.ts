import type { AccountId } from '../shared/ids.ts';

/** What a challenge was made for, by the names of `navigator.credentials`. */
export type Purpose = 'create' | 'get';

/** A challenge that waits for its one answer. */
export interface Challenge {
  /** SHA-256 of the challenge; a dump of the table answers none. */
  readonly hash: string;
  readonly purpose: Purpose;
  /** SHA-256 of whose ceremony it is, for example one sign-in of one browser. */
  readonly binding: string;
  /** Only passkeys of this account will do. */
  readonly accountId?: AccountId;
  /** Made for an offer without a click: nobody needs to have been present (WebAuthn L3 §5.1.3, conditional create). */
  readonly automatic: boolean;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Where ceremonies that are under way are kept. */
export interface CeremonyStore {
  /** The account's handle; `fresh` becomes it when there is none yet. */
  handle(accountId: AccountId, fresh?: string): Promise<string | undefined>;
  /** Keeps a challenge beside the newest others of its binding; a page that is reloaded for ever fills no table. */
  open(challenge: Challenge): Promise<void>;
  /** Takes a live challenge away, in one statement: of any number of callers exactly one gets it. */
  take(challenge: Pick<Challenge, 'hash' | 'purpose' | 'binding'>, now: number): Promise<Challenge | undefined>;
  /** Drops challenges that expired, and says how many. */
  purge(now: number): Promise<number>;
}
