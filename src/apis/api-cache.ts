import type { Clock } from '../shared/clock.ts';
import type { Api } from './api.ts';
import type { ApiStore } from './api-store.ts';

const lifeMilliseconds = 5_000;

/** All APIs as this process last saw them; there are few, and every token request asks for one. */
export class ApiCache {
  readonly #store: ApiStore;
  readonly #clock: Clock;
  #apis: ReadonlyMap<string, Api> = new Map();
  #until = 0;
  #loading: Promise<ReadonlyMap<string, Api>> | undefined;

  constructor(store: ApiStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async find(identifier: string): Promise<Api | undefined> {
    if (this.#until > this.#clock.now()) return this.#apis.get(identifier);
    // A read in a transaction may see what is never committed, and sharing it could wait for its own connection.
    if (this.#store.inTransaction()) return this.#store.find(identifier);
    return (await (this.#loading ?? this.#load())).get(identifier);
  }

  drop(): void {
    this.#until = 0;
    this.#loading = undefined;
  }

  #load(): Promise<ReadonlyMap<string, Api>> {
    const loading: Promise<ReadonlyMap<string, Api>> = this.#store
      .list()
      .then((list) => {
        const apis = new Map(list.map((api) => [api.identifier, api]));
        // Dropped meanwhile: what was read may be older than the change.
        if (this.#loading === loading) {
          this.#apis = apis;
          this.#until = this.#clock.now() + lifeMilliseconds;
        }
        return apis;
      })
      .finally(() => {
        if (this.#loading === loading) this.#loading = undefined;
      });
    this.#loading = loading;
    return loading;
  }
}
