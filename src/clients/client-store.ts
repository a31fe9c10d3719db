import type { ClientId } from '../shared/ids.ts';
import type { Client } from './client.ts';

/** A generated secret at rest. */
export interface StoredSecret {
  /** SHA-256, base64url. */
  readonly hash: string;
  /** Milliseconds since the epoch; undefined while nothing has replaced it. */
  readonly expiresAt?: number;
}

/** A client and what it may authenticate with. */
export interface ClientRecord {
  readonly client: Client;
  readonly secrets: readonly StoredSecret[];
}

/** Where clients are kept. */
export interface ClientStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Whether reads come from an open transaction now, so that nobody else may see or remember what they say. */
  inTransaction(): boolean;
  load(id: string): Promise<ClientRecord | undefined>;
  /** Newest first. */
  list(filter: { readonly limit: number; readonly after?: ClientId }): Promise<Client[]>;
  /** Stops counting at `atMost`. */
  count(atMost: number): Promise<number>;
  /** Resolves to false when the id is taken. */
  insert(client: Client): Promise<boolean>;
  /** Replaces the row if it still has version `client.version - 1`; false when it has not. */
  replace(client: Client): Promise<boolean>;
  remove(id: ClientId): Promise<boolean>;
  /** Adds a secret, lets the others end at `othersEnd` at the latest, and drops those that have expired. */
  addSecret(id: ClientId, hash: string, now: number, othersEnd: number): Promise<void>;
  removeSecrets(id: ClientId): Promise<void>;
}
