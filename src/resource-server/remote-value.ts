interface Needs<Value> {
  readonly load: () => Promise<{ readonly value: Value; readonly freshSeconds: number; readonly staleSeconds: number }>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a failed load is not repeated while an older value will do. */
  readonly retrySeconds: number;
}

interface Known<Value> {
  readonly value: Value;
  readonly freshUntil: number;
  readonly staleUntil: number;
}

/** Milliseconds between two tries while there is nothing to use. */
const shortestPause = 1_000;

/**
 * Something of the issuer's that is kept for a while: loaded once for all who wait, loaded again when it is old, and used a
 * limited time longer when the issuer cannot be reached (stale-if-error).
 */
export class RemoteValue<Value> {
  readonly #needs: Needs<Value>;
  #known: Known<Value> | undefined;
  #loading: Promise<Value> | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(needs: Needs<Value>) {
    this.#needs = needs;
  }

  /** The value while it is fresh, without waiting. */
  get fresh(): Value | undefined {
    const known = this.#known;
    return known && known.freshUntil > this.#needs.now() ? known.value : undefined;
  }

  /** Milliseconds since the last try to load, successful or not. */
  get sinceTry(): number {
    return this.#needs.now() - this.#triedAt;
  }

  /** @throws whatever kept it from loading, when there is nothing that may still be used. */
  async get(): Promise<Value> {
    const { fresh } = this;
    if (fresh !== undefined) return fresh;
    const now = this.#needs.now();
    const known = this.#known;
    const stale = known && known.staleUntil > now ? known : undefined;
    if (this.#failure === undefined) return this.reload().catch((error: unknown) => this.#fallBack(error));
    // It failed the last time: nobody waits for it again while there is something, and nobody repeats it at once.
    if (stale) {
      if (now >= this.#failure.at + this.#needs.retrySeconds * 1000) this.reload().catch(() => undefined);
      return stale.value;
    }
    if (now < this.#failure.at + shortestPause) throw this.#failure.error;
    return this.reload();
  }

  /** Loads it now, or joins those who do. */
  reload(): Promise<Value> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<Value> {
    const { load, now } = this.#needs;
    this.#triedAt = now();
    try {
      const { value, freshSeconds, staleSeconds } = await load();
      const freshUntil = now() + freshSeconds * 1000;
      this.#known = { value, freshUntil, staleUntil: freshUntil + staleSeconds * 1000 };
      this.#failure = undefined;
      return value;
    } catch (error) {
      this.#failure = { error, at: now() };
      throw error;
    }
  }

  #fallBack(error: unknown): Value {
    const known = this.#known;
    if (known && known.staleUntil > this.#needs.now()) return known.value;
    throw error;
  }
}
