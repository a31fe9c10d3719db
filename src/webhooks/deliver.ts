import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedPost, type PostResult, withinTime } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { SecretRing } from '../shared/crypto.ts';
import { reasonOf } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { webhookHeaders } from '../shared/standard-webhooks.ts';
import type { Delivery, DeliveryOutcome, DeliveryStore } from './delivery-store.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import { openSigningSecrets, signingKeys } from './signing-secrets.ts';

/** When deliveries are tried, and for how long; all in seconds. */
export interface DeliveryPolicy {
  /** Before the second try, the third and so on; after the last of them the delivery is given up. */
  readonly waits: readonly number[];
  /** After a failure an endpoint is left alone for so long, twice as long after each further one, up to the longest. */
  readonly firstRest: number;
  readonly longestRest: number;
  /** A delivery that nobody tried in time, because its endpoint was away, is given up. */
  readonly useful: number;
  /** For one try. */
  readonly answer: number;
  /** Between two looks at the outbox. */
  readonly poll: number;
  /** Requests to one endpoint at once, from one process. */
  readonly parallel: number;
  /** An endpoint that failed for so long, and `disableTries` times at least, gets no more events. */
  readonly disableAfter: number;
  readonly disableTries: number;
  /** How long deliveries that are over are remembered. */
  readonly keep: number;
}

/** Ten tries within a day. */
export const deliveryPolicy: DeliveryPolicy = {
  waits: [5, 60, 300, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800],
  firstRest: 2,
  longestRest: 60,
  useful: 26 * 3_600,
  answer: 5,
  poll: 2,
  parallel: 4,
  disableAfter: 3 * 86_400,
  disableTries: 10,
  keep: 7 * 86_400,
};

export interface DeliveryParts {
  readonly endpoints: Pick<EndpointStore, 'find'>;
  readonly deliveries: DeliveryStore;
  readonly clock: Clock;
  readonly secrets: SecretRing;
  readonly logger: Logger;
  readonly post: GuardedPost;
  readonly policy: DeliveryPolicy;
  /** Closes an endpoint that failed for too long, or that asked for it. */
  readonly disable: (endpointId: string, reason: string) => Promise<void>;
  /** Told of each try. */
  readonly onOutcome?: ((status: DeliveryOutcome['status']) => void) | undefined;
}

const gone = 410;
const leaseMargin = 30;
const goodbye = 3_000;

const never = new AbortController().signal;

/** How a try went: an HTTP status, or why there was none. */
type TryResult = { readonly status: number } | { readonly error: string };

/** Signs and posts one message. The id stays the same for every try. */
export async function postTo(
  { clock, secrets, post, policy }: Pick<DeliveryParts, 'clock' | 'secrets' | 'post' | 'policy'>,
  endpoint: StoredEndpoint,
  message: { readonly id: string; readonly body: string },
  cut: AbortSignal = never,
): Promise<TryResult> {
  const now = clock.now();
  const keys = signingKeys(openSigningSecrets(secrets, endpoint.id, endpoint.secrets), now);
  const headers = webhookHeaders({ ...message, milliseconds: now }, keys);
  const posted = post(endpoint.url, { ...headers, 'content-type': 'application/json' }, message.body, cut);
  // The post has a limit of its own; this one holds whatever becomes of it, and is shorter than the lease.
  const limits = { seconds: policy.answer + leaseMargin / 2, cut };
  const result = await withinTime<PostResult>(posted, limits, () => ({ error: 'It took too long.', refused: false }));
  return 'status' in result ? result : { error: result.error };
}

function outcomeOf(
  { clock, policy }: DeliveryParts,
  delivery: Delivery,
  failures: number,
  result: TryResult,
): DeliveryOutcome {
  const at = clock.now();
  const httpStatus = 'status' in result ? result.status : undefined;
  if (httpStatus !== undefined && httpStatus >= 200 && httpStatus < 300) return { status: 'delivered', at, httpStatus };
  const error = 'error' in result ? result.error.slice(0, 300) : `The answer was ${result.status}.`;
  const wait = policy.waits[delivery.attempts - 1];
  const rest = Math.min(policy.firstRest * 2 ** Math.min(failures, 10), policy.longestRest);
  const nextAt = at + (wait ?? 0) * 1000;
  const over = wait === undefined || nextAt >= delivery.expiresAt;
  return { status: over ? 'dead' : 'pending', at, nextAt, endpointRetryAt: at + rest * 1000, httpStatus, error };
}

async function tryOne(
  parts: DeliveryParts,
  endpoint: StoredEndpoint,
  delivery: Delivery,
  claim: string,
  cut: AbortSignal,
): Promise<boolean> {
  const { deliveries, clock, policy, logger, disable, onOutcome } = parts;
  const { eventId: id, type, body = '' } = delivery;
  const late = delivery.expiresAt <= clock.now();
  const result = late ? { error: 'It was not delivered in time.' } : await postTo(parts, endpoint, { id, body }, cut);
  // Cut off because the process ends: the lease runs out, and another one takes it.
  if (cut.aborted && 'error' in result) return false;
  const outcome = outcomeOf(parts, delivery, endpoint.failures, result);
  const ended = late ? { ...outcome, status: 'dead' as const } : outcome;
  const standing = await deliveries.settle(delivery, claim, ended as DeliveryOutcome);
  onOutcome?.(ended.status);
  if (outcome.status === 'delivered') return true;
  logger.warn(
    { webhook: endpoint.id, event: id, type, tries: delivery.attempts, reason: outcome.error },
    'a webhook failed',
  );
  if (outcome.httpStatus === gone) await disable(endpoint.id, 'The endpoint answered 410.');
  else if (
    standing?.failingSince !== undefined &&
    standing.failures >= policy.disableTries &&
    outcome.at - standing.failingSince >= policy.disableAfter * 1000
  ) {
    await disable(endpoint.id, 'It failed for too long.');
  }
  return false;
}

interface Stop {
  readonly ended: AbortSignal;
  readonly cut: AbortSignal;
}

/** Empties the line of one endpoint until nothing is due or something fails. Says how many were delivered. */
async function drain(parts: DeliveryParts, endpointId: string, { ended, cut }: Stop): Promise<number> {
  const { endpoints, deliveries, clock, policy } = parts;
  const claim = randomText(16);
  let delivered = 0;
  while (!ended.aborted) {
    const now = clock.now();
    const leaseUntil = now + (policy.answer + leaseMargin) * 1000;
    const mine = await deliveries.claim({ endpointId, claim, limit: policy.parallel, now, leaseUntil });
    const endpoint = mine.length > 0 ? await endpoints.find(endpointId) : undefined;
    if (!endpoint) break;
    const tries = await Promise.allSettled(mine.map((one) => tryOne(parts, endpoint, one, claim, cut)));
    for (const result of tries) {
      if (result.status === 'rejected') throw result.reason;
      if (result.value) delivered += 1;
    }
    if (tries.some((result) => result.status === 'fulfilled' && !result.value)) break;
  }
  return delivered;
}

/**
 * Delivers what is due, to all endpoints beside each other, so that a slow one holds up none but itself. Any number of
 * processes may do it at once. Whoever dies between the answer and its record leaves the delivery to be made again.
 */
export async function deliverDue(parts: DeliveryParts, stop: Stop = { ended: never, cut: never }): Promise<number> {
  const endpoints = await parts.deliveries.due(parts.clock.now());
  const counts = await Promise.all(endpoints.map((id) => drain(parts, id, stop)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Delivers again and again until disposed; then what is under way gets a moment, and the rest is left to others. */
export function deliverRegularly(parts: DeliveryParts): AsyncDisposable {
  const { policy, logger, deliveries, clock } = parts;
  const [ended, cut] = [new AbortController(), new AbortController()];
  const stop = { ended: ended.signal, cut: cut.signal };
  const busy = new Map<string, Promise<void>>();
  const failed = (error: unknown): void =>
    logger.warn({ reason: reasonOf(error) }, 'webhook deliveries could not be read or written and will be tried again');

  const due = (): Promise<string[]> =>
    deliveries.due(clock.now()).catch((error: unknown) => {
      failed(error);
      return [];
    });
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      for (const id of await due()) {
        if (busy.has(id)) continue;
        const running = drain(parts, id, stop)
          .catch(failed)
          .then(() => void busy.delete(id));
        busy.set(id, running);
      }
      await delay(policy.poll * 1000, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
    await Promise.all(busy.values());
  };
  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      const timer = setTimeout(() => cut.abort(), goodbye);
      await running;
      clearTimeout(timer);
    },
  };
}
