/** A line of messages that wait to be sent. */
export interface QueueFacts {
  readonly waiting: number;
  /** Seconds that the oldest has been due or under way; 0 for none. */
  readonly oldestSeconds: number;
}

/** What the rules look at. */
export interface Facts {
  /** Within the last {@link windowSeconds}. */
  readonly failedSignIns: number;
  readonly lockouts: number;
  readonly tokenReuses: number;
  readonly disabledWebhooks: number;
  readonly mail: QueueFacts;
  readonly webhooks: QueueFacts;
  /** Seconds that the next change of a signing key is late; 0 when none is. */
  readonly keysLateSeconds: number;
  /** Why this node cannot use its keys. */
  readonly keysProblem?: string | undefined;
  /** Whether this node has given up asking Redis for the moment. */
  readonly breakerOpen: boolean;
  /** Seconds that the oldest audit row without a seal has waited for it. */
  readonly auditSealSeconds: number;
}

/** What is counted of the whole installation for metrics. */
export interface Operations {
  readonly sessions: number;
  readonly mail: QueueFacts;
  readonly webhooks: QueueFacts;
  /** Logout tokens for apps. */
  readonly logouts: QueueFacts;
  readonly webhooksDisabled: number;
  /** Names of the rules that fire. */
  readonly firing: readonly string[];
}

/** Reads what the whole installation shares, in one or two queries that stay cheap when much has gathered. */
export interface OperationsReader {
  read(now: number): Promise<Operations>;
}

/** Over how long events are counted. */
export const windowSeconds = 300;
