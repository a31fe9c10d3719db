import { reasonOf } from '../shared/errors.ts';
import { type DeliveryParts, deliverDue, type Stop, untilNextLook } from './deliver-logouts.ts';
import type { DeliveryStatus, EndedForApps, LogoutDelivery } from './delivery.ts';
import type { DeliveryFilter } from './delivery-store.ts';

/** Apps that are told when a session of theirs has ended, and what became of it. */
export interface BackChannel {
  find(id: string): Promise<LogoutDelivery | undefined>;
  /** Newest first, 200 at most; `after` is the last one of the page before. */
  list(filter?: Partial<DeliveryFilter>): Promise<LogoutDelivery[]>;
  /** How many there are of each status that has any, in the last 30 days. */
  count(): Promise<Partial<Record<DeliveryStatus, number>>>;
  /** Tells one app that its part of a session is over although the session goes on: the person left only this app. */
  tellOne(left: EndedForApps): Promise<void>;
  /** Tells apps until nothing is due, and says how many tries that were. */
  deliver(): Promise<number>;
  /** Wakes the delivery of this process, because a session has ended here. */
  hurry(): void;
  /** Delivers as rows come, on this node as on others, until disposed. */
  start(): AsyncDisposable;
  /** Deletes what was settled 30 days ago, in batches, and says how many. */
  purge(): Promise<number>;
}

const pageLimit = 200;
const keptMilliseconds = 30 * 86_400_000;
const purgeBatch = 1000;
/** Milliseconds that requests on their way have at the end. */
const goodbye = 2_000;

class Worker {
  readonly #parts: DeliveryParts;
  #wake = Promise.withResolvers<void>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  hurry(): void {
    this.#wake.resolve();
  }

  start(): AsyncDisposable {
    const [ended, cut] = [new AbortController(), new AbortController()];
    // Before a look: what is committed after it wakes the next one.
    const news = (): Promise<void> => {
      this.#wake = Promise.withResolvers<void>();
      return this.#wake.promise;
    };
    const running = this.#run({ ended: ended.signal, cut: cut.signal, news });
    return {
      async [Symbol.asyncDispose]() {
        ended.abort();
        const timer = setTimeout(() => cut.abort(), goodbye);
        await running;
        clearTimeout(timer);
      },
    };
  }

  async #run(stop: Stop): Promise<void> {
    const { policy, logger } = this.#parts;
    while (!stop.ended.aborted) {
      await deliverDue(this.#parts, stop).catch((error: unknown) =>
        logger.warn({ reason: reasonOf(error) }, 'logouts could not be read or written and will be tried again'),
      );
      // The last look asked for news, and nobody has since.
      await untilNextLook(policy, stop.ended, [this.#wake.promise]);
    }
  }
}

/** Makes the back-channel domain. */
export function createBackChannel(parts: DeliveryParts): BackChannel {
  const { store, clock } = parts;
  const worker = new Worker(parts);
  return {
    find: (id) => store.find(id),
    list: ({ limit = pageLimit, ...filter } = {}) =>
      store.list({ ...filter, limit: Math.max(1, Math.min(pageLimit, Math.trunc(limit))) }),
    count: () => store.count(),
    deliver: () => deliverDue(parts),
    tellOne: async (left) => void (await store.add([left], clock.now())),
    hurry: () => worker.hurry(),
    start: () => worker.start(),

    async purge() {
      const before = clock.now() - keptMilliseconds;
      let total = 0;
      for (let removed = purgeBatch; removed === purgeBatch; total += removed) {
        removed = await store.purge(before, purgeBatch);
      }
      return total;
    },
  };
}
