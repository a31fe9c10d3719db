import { setTimeout as delay } from 'node:timers/promises';
import { DataDirInUse } from '../storage/data-dir-lock.ts';

/**
 * Does `ask`, then `open` when nobody answers, and again while the data directory is in use without an answer: a server
 * that starts has the directory before it listens.
 */
export async function askOrOpen<T>(
  ask: () => Promise<T | undefined>,
  open: () => Promise<T>,
  waitMs = 10_000,
): Promise<T> {
  for (const end = performance.now() + waitMs; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DataDirInUse) || performance.now() > end) throw error;
      await delay(200);
    }
  }
}
