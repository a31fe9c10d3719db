import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { blockMilliseconds, createPlaces } from './allocate-place.ts';
import { createPublisher, type PublishedList } from './publish-lists.ts';
import type { TokenSigner } from './sign-token.ts';
import { entryOf, type StatusReference, type StatusSubject } from './status-entry.ts';
import type { StatusListStore } from './status-list-store.ts';

/** The lists in which tokens can be looked up. */
export interface StatusLists {
  /** Gives a token its place. It is stored before this resolves. @throws AppError `unavailable` when none was found. */
  enter(subject: StatusSubject): Promise<StatusReference>;
  /** The signed list, as of a second ago at most; undefined when there is none of that id. */
  find(listId: string): Promise<PublishedList | undefined>;
  /** Addresses of all lists (draft §9). */
  list(): Promise<string[]>;
  /** Seconds that a copy may be used; `ttl` in the lists. */
  readonly ttlSeconds: number;
  /** Deletes what has expired and says how many entries and lists. */
  purge(): Promise<number>;
}

interface Needs {
  readonly store: StatusListStore;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  readonly issuer: string;
  readonly ttlSeconds: number;
  /** Address of all lists; theirs lie below it. */
  readonly address: string;
}

const tries = 5;
const purgeBatch = 1_000;

/** Makes the status lists. */
export function createStatusLists({ store, signer, clock, issuer, ttlSeconds, address }: Needs): StatusLists {
  const places = createPlaces(store, clock);
  const uriOf = (listId: string): string => `${address}/${listId}`;
  const publisher = createPublisher({ store, signer, clock, issuer, ttlSeconds, uriOf, aggregationUri: address });

  const purgeEntries = async (): Promise<number> => {
    let total = 0;
    for (;;) {
      const removed = await store.purgeEntries(clock.now(), purgeBatch);
      total += removed;
      if (removed < purgeBatch) return total;
    }
  };

  return {
    ttlSeconds,
    find: (listId) => publisher.find(listId),
    list: async () => (await publisher.list()).map(uriOf),

    async enter(subject) {
      for (let attempt = 0; attempt < tries; attempt += 1) {
        const place = await places.take();
        if (await store.add(entryOf(subject, place))) return { idx: place.idx, uri: uriOf(place.listId) };
      }
      throw new AppError('unavailable', 'No place in a status list could be found. Try again in a moment.', {
        retryAfter: 1,
      });
    },

    async purge() {
      const entries = await purgeEntries();
      return entries + (await store.purgeLists(clock.now() - 2 * blockMilliseconds));
    },
  };
}
