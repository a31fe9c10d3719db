import type { Clock } from '../shared/clock.ts';
import { type ChainHead, nextHead, personalDigest } from './chain.ts';
import type { ChainStore, Seal } from './chain-store.ts';

interface Needs {
  readonly store: ChainStore;
  readonly clock: Clock;
  /** 16 random bytes, hexadecimal. */
  readonly newSalt: () => string;
}

/** Small, because the hashing of a batch happens between two requests. */
const batch = 250;
const mostBatches = 80;

/** Numbers and links one batch of settled events. Says how many it looked at, undefined while another node seals. */
const sealBatch = ({ store, clock, newSalt }: Needs): Promise<number | undefined> =>
  store.exclusively(async () => {
    const settled = await store.settled(batch);
    const upTo = settled.at(-1);
    if (!upTo) return 0;
    let { head }: { head: ChainHead } = await store.state();
    const seals: Seal[] = [];
    for (const { event, sealed } of settled) {
      if (sealed) continue;
      const salt = newSalt();
      const personal = personalDigest(event, salt);
      head = nextHead(head, event, personal);
      seals.push({ ...head, eventId: event.id, salt, personal });
    }
    await store.append(seals, upTo.event.id, clock.now());
    return settled.length;
  });

/**
 * Seals what has settled: each event gets the next number and a hash over itself and all before it. Requests never wait
 * for this; an event is sealed when every transaction that began before its own has ended, so none is passed over.
 * Says how many were sealed; a backlog of more than 20 000 takes several turns.
 */
export async function sealEvents(needs: Needs): Promise<number> {
  let total = 0;
  for (let turn = 0; turn < mostBatches; turn += 1) {
    const done = (await sealBatch(needs)) ?? 0;
    total += done;
    if (done < batch) break;
  }
  return total;
}
