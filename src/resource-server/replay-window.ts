/** Remembers which proofs were used. */
export interface ReplayStore {
  /**
   * Marks a proof as used until `until` (milliseconds), in one step. True when it was not; `full` when nothing more can be
   * remembered, and then nothing is let in.
   */
  claim(key: string, until: number): Promise<boolean | 'full'> | boolean | 'full';
}

/** Used proofs in memory. When it is full of live ones it says so: forgetting one would let it be used again. */
export class ReplayWindow implements ReplayStore {
  readonly #used = new Map<string, number>();
  readonly #limit: number;
  readonly #now: () => number;
  #sweepAt = 0;

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  claim(key: string, until: number): boolean | 'full' {
    const now = this.#now();
    if ((this.#used.get(key) ?? 0) > now) return false;
    if (now >= this.#sweepAt) this.#sweep(now);
    if (this.#used.size >= this.#limit) return 'full';
    this.#used.set(key, until);
    return true;
  }

  #sweep(now: number): void {
    this.#sweepAt = now + 5_000;
    for (const [key, until] of this.#used) if (until <= now) this.#used.delete(key);
  }
}
