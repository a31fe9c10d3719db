/** Calls fail at once for a while after several have failed in a row; then one is let through to see. */
export class CircuitBreaker {
  readonly #limit: number;
  readonly #pauseMilliseconds: number;
  readonly #now: () => number;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;
  #probing = false;

  constructor(limit: number, pauseSeconds: number, now: () => number) {
    this.#limit = limit;
    this.#pauseMilliseconds = pauseSeconds * 1000;
    this.#now = now;
  }

  /** Whether a call may be made now. Who is let through has to tell how it went. */
  enter(): boolean {
    if (this.#failures < this.#limit) return true;
    if (this.#now() < this.#openUntil || this.#probing) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(): void {
    this.#failures += 1;
    this.#probing = false;
    if (this.#failures >= this.#limit) this.#openUntil = this.#now() + this.#pauseMilliseconds;
  }
}
