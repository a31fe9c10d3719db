import type { Endpoint } from './endpoint.ts';

/** An endpoint with what signs its messages, sealed. */
export interface StoredEndpoint extends Endpoint {
  readonly secrets: string;
}

/** Where endpoints are kept. */
export interface EndpointStore {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  add(endpoint: StoredEndpoint): Promise<void>;
  find(id: string): Promise<StoredEndpoint | undefined>;
  /** Oldest first. */
  list(): Promise<StoredEndpoint[]>;
  /** Deletes it with its deliveries; false when it was not there. */
  remove(id: string): Promise<boolean>;
  /** Puts other secrets in the place of these; false when they are not these any more. */
  replaceSecrets(id: string, from: string, to: string, at: number): Promise<boolean>;
  /** Opens or closes it, once: false when it was so already. Closing gives up what waits. */
  setDisabled(id: string, disabled: boolean, at: number): Promise<boolean>;
}
