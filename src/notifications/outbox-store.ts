import type { AccountId } from '../shared/ids.ts';
import type { Cap, SharedCap } from './mail-template.ts';

/**
 * `pending` is due or waits for another try; `dead` was given up; `capped` was one too many for its mailbox and
 * `refused` has no address that mail can go to: both are recorded and never sent.
 */
export type OutboxStatus = 'pending' | 'sent' | 'dead' | 'capped' | 'refused';

/** What carries a message. */
export type Channel = 'mail' | 'text';

/** A mail or text message on its way. Times are milliseconds since the epoch. */
export interface OutboxMail {
  readonly id: string;
  readonly channel: Channel;
  /** Of a text message: its kind. */
  readonly template: string;
  readonly to: string;
  /** Sealed JSON; absent once nobody needs it any more. */
  readonly data?: string;
  readonly status: OutboxStatus;
  /** Tries that were begun. */
  readonly attempts: number;
  readonly createdAt: number;
  /** From when on it is of no use. */
  readonly expiresAt: number;
  /** Of the deliverer that has it now. */
  readonly claim?: string;
  /** Why the last try failed. */
  readonly error?: string;
}

export interface NewOutboxMail {
  readonly id: string;
  readonly channel: Channel;
  readonly template: string;
  readonly to: string;
  /** What its cap is counted under. */
  readonly capKey: string;
  readonly account?: AccountId | undefined;
  readonly data: string;
  readonly dedupeKey?: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** For its template, over the mailbox and over the account. Without one it is recorded as `refused`. */
  readonly cap?: Cap;
  /** For several templates together, over the mailbox. */
  readonly shared?: SharedCap | undefined;
}

/** What became of a new one, and how many of its template its mailbox and account had lost to a cap in this window. */
export interface Added {
  readonly status: 'pending' | 'capped' | 'refused' | 'duplicate';
  readonly suppressed: number;
}

/** Who claims what. */
export interface Claim {
  readonly claim: string;
  readonly channel: Channel;
  readonly limit: number;
  readonly now: number;
  readonly leaseUntil: number;
}

/** What became of a try. `keepData` leaves the content readable for the development viewer. */
export type Outcome =
  | { readonly status: 'sent'; readonly at: number; readonly keepData: boolean }
  | { readonly status: 'pending'; readonly nextAt: number; readonly error: string }
  | { readonly status: 'dead'; readonly at: number; readonly error: string };

/** Where mails wait. */
export interface OutboxStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Adds a mail, in a transaction. Of many at once, as many as the cap allows become `pending` and the others `capped`;
   * one whose `dedupeKey` is there already adds nothing.
   */
  add(mail: NewOutboxMail): Promise<Added>;
  /** Takes up to `limit` due mails, each for one caller only, until `leaseUntil`; after that it is due again. */
  claim(claim: Claim): Promise<OutboxMail[]>;
  /** Ends a try. `sent` always counts; any other outcome only while the claim is still this one. */
  settle(mail: Pick<OutboxMail, 'id' | 'claim'>, outcome: Outcome): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<OutboxMail[]>;
  find(id: string): Promise<OutboxMail | undefined>;
  /** Gives up what has expired, deletes up to `limit` mails that ended before `before`, and says how many went. */
  purge(now: number, before: number, limit: number): Promise<number>;
  /** Deletes every trace of an account, sent or not. */
  removeOf(account: AccountId): Promise<void>;
}
