import { setTimeout as delay } from 'node:timers/promises';

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

/**
 * Waits until that time (milliseconds since the epoch) has come. A timer counts from when the event loop last looked at the
 * clock, so one alone may come early; where a clock stands still, this ends after as long as it would have taken.
 */
export async function waitUntil(clock: Clock, time: number): Promise<void> {
  const left = time - clock.now();
  // A tick more than needed: the two clocks do not turn their milliseconds together.
  const end = performance.now() + left + 1;
  for (let rest = left; rest > 0; rest = end - performance.now()) await delay(rest);
}

/** Whole seconds since the epoch, as JWTs count (RFC 7519 §2, NumericDate). */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
