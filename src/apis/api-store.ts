import type { Api } from './api.ts';

/** Where APIs are kept. There are few; `list` returns them all. */
export interface ApiStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Whether reads come from an open transaction now, so that nobody else may see or remember what they say. */
  inTransaction(): boolean;
  find(identifier: string): Promise<Api | undefined>;
  /** By name, then identifier. */
  list(): Promise<Api[]>;
  /** Resolves to false when the identifier is taken. */
  insert(api: Api): Promise<boolean>;
  /** Replaces the row if it still has version `api.version - 1`; false when it has not. */
  replace(api: Api): Promise<boolean>;
  remove(identifier: string): Promise<boolean>;
}
