import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../clients/index.ts';
import { withinTime } from '../outgoing/index.ts';
import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { type Answer, isBySilence, meaningOf } from './delivery.ts';
import type { Claimed, DeliveryStore, Outcome } from './delivery-store.ts';
import type { LogoutPost } from './post-logout.ts';

/** When logout tokens are tried and for how long; times in seconds. */
export interface DeliveryPolicy {
  /** Before the second try, the third, …; after the last one it is given up. */
  readonly waits: readonly number[];
  /** A delivery belongs to whoever tries it for so long, then another one takes it. Longer than a try may take. */
  readonly lease: number;
  /** Between two looks at the table. */
  readonly poll: number;
  /** Tries that one process makes at once. */
  readonly parallel: number;
  /** Of them for one app, so that one that does not answer keeps nobody else waiting. */
  readonly perApp: number;
}

/** Eight tries in just under two hours. */
export const deliveryPolicy: DeliveryPolicy = {
  waits: [5, 15, 60, 300, 900, 1_800, 3_600],
  lease: 30,
  poll: 1,
  parallel: 16,
  perApp: 4,
};

/** What a logout token says (OpenID Connect Back-Channel Logout 1.0 §2.4); issuer and times are the signer's. */
export interface LogoutClaims {
  readonly jti: string;
  readonly aud: string;
  readonly sub: string;
  readonly sid: string;
}

export interface DeliveryParts {
  readonly store: DeliveryStore;
  readonly clients: { find(id: string): Promise<Client | undefined> };
  /** Signs a logout token with the algorithm of the app's ID tokens. */
  readonly sign: (claims: LogoutClaims, alg: Client['metadata']['id_token_signed_response_alg']) => Promise<string>;
  readonly post: LogoutPost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: DeliveryPolicy;
}

/** When to stop: take nothing new after `ended`, give up what is on its way at `cut`. */
export interface Stop {
  readonly ended: AbortSignal;
  readonly cut: AbortSignal;
  /** Asked for before each look; settles when there is more to find. */
  readonly news?: () => Promise<void>;
}

const never = new AbortController().signal;

async function attempt(parts: DeliveryParts, delivery: Claimed, cut: AbortSignal): Promise<Outcome> {
  const { clients, sign, post, clock, policy } = parts;
  const { id, clientId, accountId, sid, reason, attempts, goesOn } = delivery;
  const end = (status: 'delivered' | 'failed' | 'superseded', error?: string): Outcome => ({
    status,
    at: clock.now(),
    error,
  });
  if (goesOn && isBySilence(reason)) return end('superseded');
  const client = await clients.find(clientId);
  const address = client?.disabled ? undefined : client?.metadata.backchannel_logout_uri;
  if (!client || address === undefined) return end('failed', 'The app is gone, disabled, or has no logout address.');

  const claims = { jti: id, aud: clientId, sub: accountId, sid };
  const told = sign(claims, client.metadata.id_token_signed_response_alg)
    .then((token) => post(address, token, cut))
    .catch((problem: unknown): Answer => ({ error: reasonOf(problem) }));
  // The post has a limit of its own. Beyond the lease another one tries, so nobody waits for this one any more.
  const answer = await withinTime<Answer>(told, { seconds: policy.lease, cut }, () => ({ error: 'It took too long.' }));
  const status = 'status' in answer ? answer.status : undefined;
  const error = 'error' in answer ? answer.error.slice(0, 300) : undefined;
  const meaning = meaningOf(answer);
  if (meaning !== 'again') return { ...end(meaning, error), answer: status };
  if (cut.aborted) return { status: 'pending', nextAt: clock.now(), error };
  const wait = policy.waits[attempts - 1];
  if (wait === undefined) return { ...end('failed', error ?? `${attempts} tries were in vain.`), answer: status };
  return { status: 'pending', nextAt: clock.now() + wait * 1000, answer: status, error };
}

/**
 * Waits for the first of these, at most as long as between two looks.
 * @param ended ends the wait too
 */
export async function untilNextLook(policy: DeliveryPolicy, ended: AbortSignal, first: Iterable<Promise<void>>) {
  const over = new AbortController();
  const signal = AbortSignal.any([ended, over.signal]);
  const pause = delay(policy.poll * 1000, undefined, { signal, ref: false }).catch(() => undefined);
  await Promise.race([pause, ...first]);
  over.abort();
}

async function deliver(parts: DeliveryParts, delivery: Claimed, cut: AbortSignal): Promise<void> {
  const outcome = await attempt(parts, delivery, cut);
  await parts.store.settle(delivery, outcome);
  const { status, answer, error } = outcome;
  const about = { delivery: delivery.id, client: delivery.clientId, tries: delivery.attempts, answer, reason: error };
  if (status === 'failed') parts.logger.error(about, 'an app could not be told that a session has ended');
  else if (status === 'pending') parts.logger.warn(about, 'an app was not told of a logout and will be told later');
}

/**
 * Tells apps until nothing is due, and says how many tries it made. Any number of processes may do it at once; each
 * delivery is claimed by one. Whoever dies after the app took a token and before that is written down leaves it to be
 * sent again, under the same `jti`.
 */
export async function deliverDue(parts: DeliveryParts, stop: Stop = { ended: never, cut: never }) {
  const { ended, cut, news } = stop;
  const { store, clock, policy } = parts;
  const claim = randomText(16);
  const underWay = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let tries = 0;

  const begin = (delivery: Claimed): void => {
    const { clientId } = delivery;
    tries += 1;
    underWay.set(clientId, (underWay.get(clientId) ?? 0) + 1);
    const run = deliver(parts, delivery, cut)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        underWay.set(clientId, (underWay.get(clientId) ?? 1) - 1);
        running.delete(run);
      });
    running.add(run);
  };

  while (!ended.aborted && failures.length === 0) {
    const more = news?.();
    const limit = Math.min(policy.perApp, policy.parallel - running.size);
    const busy = [...underWay].filter(([, count]) => count >= policy.perApp).map(([id]) => id);
    const now = clock.now();
    const claimed =
      limit > 0 ? await store.claim({ claim, limit, busy, now, leaseUntil: now + policy.lease * 1000 }) : [];
    for (const delivery of claimed) begin(delivery);
    if (claimed.length > 0) continue;
    // What is on its way may be silent for long, and others become due meanwhile.
    if (running.size > 0) await untilNextLook(policy, ended, more ? [more, ...running] : running);
    // Whoever was busy at the look may have finished during it, and has more that is due.
    else if (busy.length === 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  return tries;
}
