import type { AccountId } from '../shared/ids.ts';

/** What a try is counted under. */
export interface Tried {
  /** The account, by whichever of its names: what is paused is this. Something stands for it where nobody has the name. */
  readonly account: string;
  /**
   * The name as it was typed. Its count alone decides what whoever typed it is told, so that two names do not show that
   * they are of one account. Absent for somebody who is known to have the account.
   */
  readonly name?: string | undefined;
}

/** A count with this try in it. */
interface Counted {
  readonly key: string;
  /** When the next try may come if this one fails. Milliseconds since the epoch. */
  readonly retryAt: number;
  /** Which try it is, to be told from later ones. */
  readonly turn: number;
}

/** A try that may go on. It counts as failed until it is given back. */
export interface Reservation extends Counted {
  readonly granted: true;
  /** Failures in a row with this one. */
  readonly failures: number;
  /** The browser that tries is one of the account's. Its name does not count then. */
  readonly known: boolean;
  readonly name?: Counted;
}

/**
 * A try that must not be looked at, because of others under another name, while nothing may tell that. It is counted under
 * its name, which is the count here.
 */
export interface Unseen extends Counted {
  readonly granted: false;
}

/** A browser, whose tries are counted apart when the account has signed in with it before: no stranger locks it out. */
export interface TryingBrowser {
  /** Empty for a name that nobody has: it is looked up all the same. */
  readonly accountId: string;
  readonly deviceHash: string;
}

/** A try that must not be looked at. */
export interface Refused {
  readonly granted: false;
  readonly retryAt: number;
}

/** Where failed tries are counted, in SQL: losing a cache must not unlock anybody. */
export interface ThrottleStore {
  /**
   * Counts a try as failed before it is looked at, so that tries at once cannot exceed the limit. `delays` are the
   * milliseconds to wait after each failure in a row, the last one being the lock. The count starts again after a lock,
   * and when there was no try for as long as a lock or 15 minutes, whichever is more. For whoever may be told all.
   */
  reserve(
    tried: Tried,
    delays: readonly number[],
    now: number,
    browser?: TryingBrowser,
  ): Promise<Reservation | Refused>;
  /** The same as one statement, which can go together with others; undefined when a pause may be told. */
  tryReserve(
    tried: Tried,
    delays: readonly number[],
    now: number,
    browser?: TryingBrowser,
  ): Promise<Reservation | Unseen | undefined>;
  /** When the next try is looked at where one is refused, as far as whoever typed the name may be told. */
  pausedUntil(tried: Tried, now: number, browser?: TryingBrowser): Promise<number>;
  /** Takes one try back, and the pauses that no later try has set. */
  giveBack(reservation: Pick<Reservation, 'key' | 'turn' | 'name'>): Promise<void>;
  /** Forgets all failures: the person is who they say. */
  reset(counts: { readonly key: string; readonly name?: { readonly key: string } | undefined }): Promise<void>;
  /** Forgets those of an account under these names, and in every browser that it knows: somebody took it back. */
  lift(accountId: AccountId, names: readonly string[]): Promise<void>;
  /**
   * How many accounts wait for a lock to end: `tries` failures or more, the last one after `since`. Names do not count.
   * Stops counting at `atMost`.
   */
  countLocked(filter: { tries: number; since: number; now: number; atMost: number }): Promise<number>;
  /** Deletes up to `limit` counts that nobody waits for and nothing was added to since `before`. */
  purge(before: number, now: number, limit: number): Promise<number>;
}
