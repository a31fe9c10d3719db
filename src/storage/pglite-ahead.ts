import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataDir } from './data-dir-lock.ts';
import { PgliteThread } from './pglite-thread.ts';

/** The major version of PostgreSQL that the installed PGlite is; a data directory of another one cannot be opened. */
export const postgresMajor = '18';

/** Where a data directory has its cluster. */
export const clusterIn = (dataDir: string): string => join(dataDir, 'database');

/** Which PostgreSQL made this cluster. @throws when there is none */
export const majorOf = (cluster: string): string => readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();

/** A thread that was started before anybody asked for its database. */
export interface Ahead {
  readonly dataDir: string;
  readonly thread: PgliteThread;
  /** Set when the data directory had a cluster: it is ours, and the cluster is open or will be. */
  readonly cluster?: { readonly lock: Disposable; readonly opened: Promise<void> };
}

let ahead: Ahead | undefined;

function openCluster(dataDir: string, thread: PgliteThread): Ahead['cluster'] {
  try {
    const dir = clusterIn(dataDir);
    if (majorOf(dir) !== postgresMajor) return undefined;
    const lock = lockDataDir(dataDir);
    return { lock, opened: thread.open({ dir }) };
  } catch {
    // There is none yet, or another process has it: whoever asks for it is told.
    return undefined;
  }
}

/**
 * Starts the embedded database of this data directory while the rest of the server loads. It imports nothing that takes
 * long. Whoever asked for it disposes of it at the end, which ends what nobody took.
 */
export function startAhead(dataDir: string): AsyncDisposable {
  const thread = new PgliteThread();
  const cluster = openCluster(dataDir, thread);
  ahead = { dataDir, thread, ...(cluster && { cluster }) };
  return {
    async [Symbol.asyncDispose]() {
      const unused = takeAhead(dataDir);
      await unused?.thread.close();
      unused?.cluster?.lock[Symbol.dispose]();
    },
  };
}

/** Hands over what was started for this data directory, once. */
export function takeAhead(dataDir: string | undefined): Ahead | undefined {
  const found = ahead?.dataDir === dataDir ? ahead : undefined;
  if (found) ahead = undefined;
  return found;
}
