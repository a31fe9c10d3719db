import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import { reasonOf } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { DeliveryFailure } from './mail-transport.ts';
import type { OutboxMail, OutboxStore } from './outbox-store.ts';
import type { Sender } from './sender.ts';

/** When mails are tried and for how long; all in seconds. */
export interface DeliveryPolicy {
  readonly tries: number;
  /** Before the second try; it doubles with each one after that. */
  readonly firstWait: number;
  readonly longestWait: number;
  /** For one try. The mail belongs to its deliverer a little longer, then another one takes it. */
  readonly sending: number;
  /** Between two looks at the outbox. */
  readonly poll: number;
  /** Mails that one process sends at once. */
  readonly parallel: number;
}

/** About a day: 15 s, 30 s, 1 min … 2 h, 2 h. */
export const deliveryPolicy: DeliveryPolicy = {
  tries: 20,
  firstWait: 15,
  longestWait: 7_200,
  sending: 100,
  poll: 2,
  parallel: 4,
};

export interface DeliveryParts {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
  readonly policy: DeliveryPolicy;
  /** Leave the content of sent mails in the outbox, for the development viewer. */
  readonly keepContent: boolean;
}

const leaseMargin = 30;
const goodbye = 3_000;
const longestPause = 60;

type Result = 'sent' | 'failed' | 'away';

async function settleFailure(parts: DeliveryParts, mail: OutboxMail, error: unknown, cut: boolean): Promise<Result> {
  const { store, clock, policy, logger } = parts;
  const kind = error instanceof DeliveryFailure ? error.kind : 'later';
  const reason = reasonOf(error).replaceAll(mail.to, '(recipient)').slice(0, 300);
  const about = { mail: mail.id, channel: mail.channel, template: mail.template, tries: mail.attempts, reason };
  if (kind === 'refused' || mail.attempts >= policy.tries) {
    await store.settle(mail, { status: 'dead', at: clock.now(), error: reason });
    logger.error(about, 'a mail was given up');
    return 'failed';
  }
  const wait = cut ? 0 : Math.min(policy.firstWait * 2 ** (mail.attempts - 1), policy.longestWait);
  await store.settle(mail, { status: 'pending', nextAt: clock.now() + wait * 1000, error: reason });
  logger.warn({ ...about, wait }, 'a mail was not sent and will be tried again');
  return kind === 'away' ? 'away' : 'failed';
}

async function deliver(parts: DeliveryParts, mail: OutboxMail, cut: AbortSignal): Promise<Result> {
  const { store, clock, policy, sender, keepContent } = parts;
  if (mail.expiresAt <= clock.now()) {
    await store.settle(mail, { status: 'dead', at: clock.now(), error: 'It was not sent in time.' });
    return 'failed';
  }
  try {
    const late = AbortSignal.timeout(policy.sending * 1000);
    await sender.send(mail, AbortSignal.any([cut, late]));
  } catch (error) {
    return settleFailure(parts, mail, error, cut.aborted);
  }
  await store.settle(mail, { status: 'sent', at: clock.now(), keepData: keepContent });
  return 'sent';
}

/** When to stop: take nothing new after `ended`, give up what is on its way at `cut`. */
interface Stop {
  readonly ended: AbortSignal;
  readonly cut: AbortSignal;
}

const never: Stop = { ended: new AbortController().signal, cut: new AbortController().signal };

/**
 * Sends what is due, until nothing is or the mail server is away. Any number of processes may do it at once; each mail
 * is claimed by one. Whoever dies after the server took a mail and before that is written down leaves it to be sent again.
 */
export async function deliverDue(
  parts: DeliveryParts,
  { ended, cut }: Stop = never,
): Promise<{ readonly sent: number; readonly away: boolean }> {
  const { store, clock, policy } = parts;
  const { channel } = parts.sender;
  const claim = randomText(16);
  let sent = 0;
  while (!ended.aborted) {
    const now = clock.now();
    const leaseUntil = now + (policy.sending + leaseMargin) * 1000;
    const mails = await store.claim({ claim, channel, limit: policy.parallel, now, leaseUntil });
    if (mails.length === 0) break;
    const results = await Promise.allSettled(mails.map((mail) => deliver(parts, mail, cut)));
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      if (result.value === 'sent') sent += 1;
    }
    if (results.some((result) => result.status === 'fulfilled' && result.value === 'away')) return { sent, away: true };
  }
  return { sent, away: false };
}

/** Sends again and again until disposed; then what is on its way gets a moment, and the rest is left to others. */
export function deliverRegularly(parts: DeliveryParts): AsyncDisposable {
  const { policy, logger } = parts;
  const [ended, cut] = [new AbortController(), new AbortController()];
  const loop = async (): Promise<void> => {
    let pause = policy.poll;
    while (!ended.signal.aborted) {
      try {
        const { away } = await deliverDue(parts, { ended: ended.signal, cut: cut.signal });
        pause = away ? Math.min(pause * 2, longestPause) : policy.poll;
      } catch (error) {
        logger.warn({ reason: reasonOf(error) }, 'the outbox could not be read or written and will be tried again');
      }
      await delay(pause * 1000, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
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
