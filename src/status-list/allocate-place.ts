import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { randomSecret, randomText } from '../shared/ids.ts';
import { indexBits, listSize } from './encode-list.ts';
import { createScatter } from './scatter.ts';
import type { StatusPlace } from './status-entry.ts';
import type { StatusListStore } from './status-list-store.ts';

/** Places of a block: one claim for a thousand tokens. */
export const blockSize = 1024;

/** How long a node goes on using a block, milliseconds. Lists stay until long after. */
export const blockMilliseconds = 3_600_000;

const tries = 4;

/** A block in the hands of this process. */
interface HeldBlock {
  readonly listId: string;
  readonly scatter: (position: number) => number;
  readonly until: number;
  next: number;
  readonly end: number;
}

/**
 * Hands out places. A node claims a block of positions and scatters them over the whole list, so that issuing a token
 * touches no row that others want. That no place is given twice does not depend on it: the key of the entries sees to that.
 */
export function createPlaces(store: StatusListStore, clock: Clock): { take(): Promise<StatusPlace> } {
  const held: HeldBlock[] = [];
  const scatters = new Map<string, (position: number) => number>();

  const scatterOf = (listId: string, seed: string): ((position: number) => number) => {
    const known = scatters.get(listId) ?? createScatter(seed, indexBits);
    if (!scatters.has(listId)) scatters.clear();
    scatters.set(listId, known);
    return known;
  };

  const claim = async (): Promise<HeldBlock> => {
    for (let attempt = 1; attempt <= 2 * tries; attempt += 1) {
      const now = clock.now();
      const found = await store.claimBlock(listSize / blockSize, now);
      if (found) {
        const next = found.block * blockSize;
        const scatter = scatterOf(found.listId, found.seed);
        return { listId: found.listId, scatter, until: now + blockMilliseconds, next, end: next + blockSize };
      }
      // Perhaps another node was faster; when that happens again, the list is full or there is none.
      if (attempt % 2 === 0) await store.createList({ id: randomText(16), seed: randomSecret(), createdAt: now });
    }
    throw new AppError('unavailable', 'No place in a status list could be found. Try again in a moment.', {
      retryAfter: 1,
    });
  };

  const current = (): HeldBlock | undefined => {
    while (held[0] && (held[0].next >= held[0].end || held[0].until <= clock.now())) held.shift();
    return held[0];
  };

  return {
    async take() {
      let block = current();
      if (!block) {
        // Each caller claims by itself: waiting for another's claim could be waiting for its transaction.
        block = await claim();
        held.push(block);
      }
      const position = block.next;
      block.next += 1;
      return { listId: block.listId, idx: block.scatter(position) };
    },
  };
}
