/** One message on its way to one endpoint. */
export interface Delivery {
  readonly endpointId: string;
  /** The id of the audit row; `webhook-id` of every try. */
  readonly eventId: string;
  readonly type: string;
  /** Gone when the delivery is over. */
  readonly body?: string | undefined;
  readonly status: 'pending' | 'delivered' | 'dead';
  /** Tries that were begun. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly nextAt: number;
  /** From when on it is not tried any more. */
  readonly expiresAt: number;
  readonly settledAt?: number | undefined;
  /** Of the last answer. */
  readonly httpStatus?: number | undefined;
  readonly error?: string | undefined;
}

/** An event that happened, in both its forms. */
export interface NewDelivery {
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
  readonly bodyWithPersonalData: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What became of a try. */
export type DeliveryOutcome =
  | { readonly status: 'delivered'; readonly at: number; readonly httpStatus: number }
  | {
      readonly status: 'pending' | 'dead';
      readonly at: number;
      /** When the next try is due, and not before when the endpoint is asked for anything again. */
      readonly nextAt: number;
      readonly endpointRetryAt: number;
      readonly httpStatus?: number | undefined;
      readonly error: string;
    };

/** Where deliveries wait and are remembered. */
export interface DeliveryStore {
  /** Puts the event in line for every open endpoint that wants it: one hot statement, for the caller's round trip. */
  add(delivery: NewDelivery): Promise<void>;
  /** Endpoints that have something due and are not waiting after a failure. */
  due(now: number): Promise<string[]>;
  /** Takes up to `limit` due ones of an endpoint for this caller, until `leaseUntil`. An endpoint that failed gets one. */
  claim(claim: {
    readonly endpointId: string;
    readonly claim: string;
    readonly limit: number;
    readonly now: number;
    readonly leaseUntil: number;
  }): Promise<Delivery[]>;
  /**
   * Ends a try, in a transaction. `delivered` always counts; any other outcome only while the claim is still this one.
   * Answers what the endpoint's failures came to.
   */
  settle(
    delivery: Pick<Delivery, 'endpointId' | 'eventId'>,
    claim: string,
    outcome: DeliveryOutcome,
  ): Promise<{ readonly failures: number; readonly failingSince?: number | undefined } | undefined>;
  /** Newest first. */
  list(filter: {
    readonly endpointId: string;
    readonly status?: Delivery['status'] | undefined;
    readonly limit: number;
  }): Promise<Delivery[]>;
  /** Gives up what has expired, deletes up to `limit` that ended before `before`, and says how many. */
  purge(now: number, before: number, limit: number): Promise<number>;
}
