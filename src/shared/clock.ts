/** Where the time comes from; tests hand in one they can set. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is moved; for tests. */
export class FixedClock implements Clock {
  #now: number;

  constructor(start: number | string | Date = '2026-01-01T00:00:00Z') {
    this.#now = new Date(start).getTime();
  }

  now(): number {
    return this.#now;
  }

  /** Moves the clock by so many seconds. */
  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** Whole seconds since the epoch, as JWTs count (RFC 7519 §2, NumericDate). */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
