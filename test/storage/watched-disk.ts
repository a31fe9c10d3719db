import { join } from 'node:path';
import { setEnvironmentData } from 'node:worker_threads';

/** Shared with the thread of the database. `facts`: how often it synced a file, and how its disk is. */
export interface Disk {
  readonly facts: Int32Array;
  /** The files that it synced, one after another, by their inodes. */
  readonly synced: BigInt64Array;
}

export const [good, full, stuck] = [0, 1, 2];

export const diskKey = 'sallyport-test-disk';

/** Watches the disk of the embedded databases that are opened with `execArgv` from now on. */
export function watchDisk() {
  const facts = new Int32Array(new SharedArrayBuffer(8));
  const synced = new BigInt64Array(new SharedArrayBuffer(8 * 10_000));
  setEnvironmentData(diskKey, { facts, synced } as never);
  return {
    execArgv: ['--import', join(import.meta.dirname, 'disk-hooks.ts')],
    get syncs(): number {
      return Atomics.load(facts, 0);
    },
    /** How often each file was synced, by its inode. */
    byFile(): Map<number, number> {
      const counts = new Map<number, number>();
      for (const ino of synced.slice(0, Math.min(this.syncs, synced.length))) {
        counts.set(Number(ino), (counts.get(Number(ino)) ?? 0) + 1);
      }
      return counts;
    },
    become(state: number): void {
      Atomics.store(facts, 1, state);
      Atomics.notify(facts, 1);
    },
  };
}
