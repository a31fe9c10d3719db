import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { setEnvironmentData } from 'node:worker_threads';

/** Shared with the thread of the database. `facts`: how often it synced a file, and how its disk is. */
export interface Disk {
  readonly facts: Int32Array;
  /** The files that it synced, one after another, by their inodes. */
  readonly synced: BigInt64Array;
  /** A named pipe; reading from it takes until somebody writes. */
  readonly pipe: string;
}

export const [good, full, stuck] = [0, 1, 2];

export const diskKey = 'sallyport-test-disk';

/** Watches the disk of the embedded databases that are opened with `execArgv` from now on; `dir` is for what it needs. */
export function watchDisk(dir: string) {
  const facts = new Int32Array(new SharedArrayBuffer(8));
  const synced = new BigInt64Array(new SharedArrayBuffer(8 * 10_000));
  const pipe = join(dir, 'pipe');
  setEnvironmentData(diskKey, { facts, synced, pipe } as never);
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
      if (state === stuck) execFileSync('mkfifo', [pipe]);
      const wasStuck = Atomics.exchange(facts, 1, state) === stuck;
      if (wasStuck && state !== stuck) closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    },
  };
}
