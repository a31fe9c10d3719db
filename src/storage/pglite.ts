import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import knexFactory from 'knex';
import { AppError } from '../shared/errors.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { createDatabase, type Database } from './database.ts';
import { clusterIn, majorOf, postgresMajor, takeAhead } from './pglite-ahead.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { lendWhileAnswered, waits } from './pglite-lending.ts';
import { startMaintenance } from './pglite-maintenance.ts';
import { readTemplate, unpackTemplate } from './pglite-template.ts';
import { PgliteThread, type ThreadOptions } from './pglite-thread.ts';
import { createSilenceWatch } from './silence-watch.ts';
import { isAwaited } from './unit-of-work.ts';

export interface PgliteOptions extends ThreadOptions {
  /** Told what takes time, in a sentence for a person who waits. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What fails is thrown too, and logged where it is handled. */
const quiet = { warn: () => undefined, error: () => undefined, debug: () => undefined, deprecate: () => undefined };

/** Only requests have to be answered so soon. */
const limits = { query: waits.query, both: Number.POSITIVE_INFINITY, least: waits.query };

type Progress = (text: string) => void;

/** Makes the cluster; whatever interrupts it, the next start finds either a whole one or none. */
async function createCluster(dir: string, progress: Progress): Promise<void> {
  const template = readTemplate();
  if (template) {
    progress('Making the embedded database.');
    await unpackTemplate(template, dir);
    return;
  }
  progress('Making the embedded database. This takes some seconds, once.');
  const building = `${dir}.tmp`;
  rmSync(building, { recursive: true, force: true });
  const making = new PgliteThread();
  await making.open({ dir: building });
  await making.close();
  await rename(building, dir);
}

function refuseOtherVersion(dir: string): void {
  const major = majorOf(dir);
  if (major === postgresMajor) return;
  throw new AppError(
    'conflict',
    `The embedded database in ${dir} was made by PostgreSQL ${major}, and this release embeds ${postgresMajor}. ` +
      'Start the release that made it, move its data to a PostgreSQL server, and set DATABASE_URL.',
  );
}

async function openOnDisk(dataDir: string, thread: PgliteThread, progress: Progress): Promise<void> {
  const dir = clusterIn(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(dir)) await createCluster(dir, progress);
  refuseOtherVersion(dir);
  await thread.open({ dir });
}

/** The thread when its database is open. One that cannot be opened is ended, so that nobody has its files. */
async function whenOpen(thread: PgliteThread, opening: Promise<void>): Promise<PgliteThread> {
  try {
    await opening;
    return thread;
  } catch (error) {
    await thread.end();
    throw error;
  }
}

const openThread = (
  dataDir: string | undefined,
  { onProgress = () => undefined, ...options }: PgliteOptions,
  thread = new PgliteThread(options),
): Promise<PgliteThread> =>
  whenOpen(thread, dataDir === undefined ? thread.open({ dir: undefined }) : openOnDisk(dataDir, thread, onProgress));

/**
 * Opens the embedded database in `dataDir`, making it first when there is none, or one in memory when `dataDir` is
 * undefined. The directory is ours until the database is closed or the process ends.
 * @throws DataDirInUse when another process has it.
 */
export async function openPglite(dataDir: string | undefined, options: PgliteOptions = {}): Promise<Database> {
  const early = takeAhead(dataDir);
  const lock = early?.cluster?.lock ?? (dataDir === undefined ? undefined : lockDataDir(dataDir));
  try {
    const first = early?.cluster
      ? whenOpen(early.thread, early.cluster.opened)
      : openThread(dataDir, options, early?.thread);
    const engine = new PgliteEngine(await first, () => openThread(dataDir, options), {
      reopens: dataDir !== undefined,
    });
    const pool = knexFactory({
      client: 'pg',
      connection: engine.connect,
      // One session is all that PGlite has: a second one would mix its protocol messages with the first one's.
      pool: { min: 0, max: 1, ...createSilenceWatch(limits, isAwaited) },
      acquireConnectionTimeout: waits.look,
      log: quiet,
    });
    const maintenance = startMaintenance(pool);
    // A checkpoint on a slow disk takes its time.
    lendWhileAnswered(pool, () => (maintenance.isRunning ? 0 : engine.silentMs));
    return createDatabase(pool, 'pglite', async () => {
      using _lock = lock;
      await maintenance[Symbol.asyncDispose]();
      await engine.close();
    });
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}
