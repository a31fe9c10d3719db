import type { Clock } from '../shared/clock.ts';
import type { AuditLog } from './audit-log.ts';
import type { ChainHead } from './chain.ts';
import type { ChainStore } from './chain-store.ts';

interface Needs {
  readonly store: ChainStore;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, 'record'>;
}

const day = 86_400_000;
const batch = 500;
const mostBatches = 200;

/** Where the oldest part ends that is older than `before` (milliseconds): a gap in the chain is kept, it is evidence. */
async function oldPart(store: ChainStore, before: number): Promise<ChainHead | undefined> {
  const { start } = await store.state();
  let last: ChainHead | undefined;
  for (const { number, hash, event } of await store.links(start.number, batch)) {
    const next = (last ?? start).number + 1;
    if (number !== next || event === null || Number(event.at) / 1000 >= before) break;
    last = { number, hash };
  }
  return last;
}

/**
 * Removes events that are older than so many days, from the oldest on, and only what is sealed. The chain then begins at
 * the last one that went; a row of its own says so. Returns how many went.
 */
export async function pruneEvents({ store, clock, audit }: Needs, days: number): Promise<number> {
  if (days === 0) return 0;
  const before = clock.now() - days * day;
  let removed = 0;
  let start: ChainHead | undefined;
  for (let turn = 0; turn < mostBatches; turn += 1) {
    const done = await store.exclusively(async () => {
      const from = (await store.state()).start.number;
      const upTo = await oldPart(store, before);
      if (!upTo) return 0;
      await store.cut(upTo);
      start = upTo;
      return upTo.number - from;
    });
    removed += done ?? 0;
    if ((done ?? 0) < batch) break;
  }
  if (start) {
    const details = { removed, number: start.number, hash: start.hash };
    await audit.record({ type: 'audit.pruned', actor: { kind: 'system' }, outcome: 'success', details });
  }
  return removed;
}
