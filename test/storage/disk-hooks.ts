// Loaded into the thread of the embedded database before anything else: counts what it syncs, and lets its disk be full.
import fs, { closeSync, fstatSync, openSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { getEnvironmentData } from 'node:worker_threads';
import { type Disk, diskKey, full, stuck } from './watched-disk.ts';

const { facts, synced, pipe } = getEnvironmentData(diskKey) as unknown as Disk;
const original = { fsyncSync: fs.fsyncSync, writeSync: fs.writeSync };

Object.assign(fs, {
  fsyncSync(fd: number): void {
    const at = Atomics.add(facts, 0, 1);
    if (at < synced.length) synced[at] = BigInt(fstatSync(fd).ino);
    // As a disk does it: whatever ends the thread has to wait. It goes on when somebody opens the other end.
    if (Atomics.load(facts, 1) === stuck) closeSync(openSync(pipe, 'r'));
    original.fsyncSync(fd);
  },
  writeSync(...args: Parameters<typeof fs.writeSync>): number {
    if (Atomics.load(facts, 1) === full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    return original.writeSync(...args);
  },
});
syncBuiltinESMExports();
