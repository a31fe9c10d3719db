import type { Clock } from '../shared/clock.ts';
import type { ClientRecord, ClientStore } from './client-store.ts';

const found = { entries: 10_000, milliseconds: 5_000 };
const absent = { entries: 1_000, milliseconds: 1_000 };

/** A map that forgets its oldest entry when it is full. */
class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    const oldest = this.#entries.size < this.#limit ? undefined : this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }
}

/**
 * Clients as this process last saw them. A change made here shows at once, one made by another node as soon as this one
 * hears of it, and within five seconds where it does not. Ids that do not exist are remembered apart and briefly, so that guessing them cannot push clients out.
 */
export class ClientCache {
  readonly #store: ClientStore;
  readonly #clock: Clock;
  readonly #found = new BoundedMap<{ readonly record: ClientRecord; readonly until: number }>(found.entries);
  readonly #absent = new BoundedMap<number>(absent.entries);
  readonly #loading = new Map<string, Promise<ClientRecord | undefined>>();

  constructor(store: ClientStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** How many clients and how many unknown ids are remembered. */
  get size(): { readonly found: number; readonly absent: number } {
    return { found: this.#found.size, absent: this.#absent.size };
  }

  async get(id: string): Promise<ClientRecord | undefined> {
    const now = this.#clock.now();
    const known = this.#found.get(id);
    if (known && known.until > now) return known.record;
    if ((this.#absent.get(id) ?? 0) > now) return undefined;
    // A read in a transaction may see what is never committed, and sharing it could wait for its own connection.
    if (this.#store.inTransaction()) return this.#store.load(id);
    return this.#loading.get(id) ?? this.#load(id);
  }

  drop(id: string): void {
    this.#found.delete(id);
    this.#absent.delete(id);
    this.#loading.delete(id);
  }

  /** Drops all of them. */
  clear(): void {
    this.#found.clear();
    this.#absent.clear();
    this.#loading.clear();
  }

  #load(id: string): Promise<ClientRecord | undefined> {
    const loading: Promise<ClientRecord | undefined> = this.#store
      .load(id)
      .then((record) => {
        // Dropped meanwhile: what was read may be older than the change.
        if (this.#loading.get(id) === loading) this.#remember(id, record);
        return record;
      })
      .finally(() => {
        if (this.#loading.get(id) === loading) this.#loading.delete(id);
      });
    this.#loading.set(id, loading);
    return loading;
  }

  #remember(id: string, record: ClientRecord | undefined): void {
    const now = this.#clock.now();
    if (record) {
      this.#absent.delete(id);
      this.#found.set(id, { record, until: now + found.milliseconds });
    } else {
      this.#found.delete(id);
      this.#absent.set(id, now + absent.milliseconds);
    }
  }
}
