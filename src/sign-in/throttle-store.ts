/** A try that may go on. It counts as failed until it is given back. */
export interface Reservation {
  readonly granted: true;
  readonly key: string;
  /** Failures in a row with this one. */
  readonly failures: number;
  /** When the next try may come if this one fails. Milliseconds since the epoch. */
  readonly retryAt: number;
  /** Which try it is, to be told from later ones. */
  readonly turn: number;
  /** The browser that tries is one of the account's. */
  readonly known: boolean;
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
   * and when there was no try for as long as a lock or 15 minutes, whichever is more.
   */
  reserve(key: string, delays: readonly number[], now: number, browser?: TryingBrowser): Promise<Reservation | Refused>;
  /** The same as one statement, which can go together with others; undefined when the try must not be looked at. */
  tryReserve(
    key: string,
    delays: readonly number[],
    now: number,
    browser?: TryingBrowser,
  ): Promise<Reservation | undefined>;
  /** When the next try of a refused key is looked at. */
  pausedUntil(key: string, now: number, browser?: TryingBrowser): Promise<number>;
  /** Takes one try back, and the pause if no later try has set its own. */
  giveBack(reservation: Reservation): Promise<void>;
  /** Forgets all failures: the person is who they say. */
  reset(key: string): Promise<void>;
  /**
   * How many accounts wait for a lock to end: `tries` failures or more, the last one after `since`. Names that nobody
   * has do not count. Stops counting at `atMost`.
   */
  countLocked(filter: { tries: number; since: number; now: number; atMost: number }): Promise<number>;
  /** Deletes up to `limit` counts that nobody waits for and nothing was added to since `before`. */
  purge(before: number, now: number, limit: number): Promise<number>;
}
