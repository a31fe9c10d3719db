import { withoutPersonalData } from './event.ts';

/** A message that waits, and names somebody. */
export interface WaitingMessage {
  readonly endpointId: string;
  readonly eventId: string;
  readonly body: string;
}

/** The bodies of deliveries that wait; those that are over have none. */
export interface DeliveryTraceStore {
  /** Whose body has one of these ids anywhere, locked for the caller's transaction. */
  about(accountIds: readonly string[]): Promise<readonly WaitingMessage[]>;
  /** Puts another body in the place of this one, if it still waits. */
  replace(message: WaitingMessage, body: string): Promise<void>;
}

/**
 * What messages that wait know of accounts: they keep ids and the facts of their type, as every endpoint gets them, and
 * lose addresses, browsers and names. They are delivered all the same.
 */
export const createDeliveryTraces = (store: DeliveryTraceStore) => ({
  name: 'webhook_delivery',
  async erase(accountIds: readonly string[]): Promise<void> {
    for (const message of await store.about(accountIds)) {
      const body = withoutPersonalData(message.body);
      if (body !== message.body) await store.replace(message, body);
    }
  },
});
