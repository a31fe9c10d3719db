import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import knexFactory from 'knex';
import { AppError } from '../shared/errors.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { createDatabase, type Database } from './database.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { DurableFiles, serverParameters } from './pglite-files.ts';
import { startMaintenance } from './pglite-maintenance.ts';
import { pgliteProgram } from './pglite-program.ts';
import { postgresMajor, readTemplate, unpackTemplate } from './pglite-template.ts';

export interface PgliteOptions {
  /** Told what takes time, in a sentence for a person who waits. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What fails is thrown too, and logged where it is handled. */
const quiet = { warn: () => undefined, error: () => undefined, debug: () => undefined, deprecate: () => undefined };

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
  const startParams = serverParameters(PGlite.defaultStartParams, true);
  const pglite = await PGlite.create({ fs: new DurableFiles(building), startParams });
  await pglite.close();
  await rename(building, dir);
}

function refuseOtherVersion(dir: string): void {
  const major = readFileSync(join(dir, 'PG_VERSION'), 'utf8').trim();
  if (major === postgresMajor) return;
  throw new AppError(
    'conflict',
    `The embedded database in ${dir} was made by PostgreSQL ${major}, and this release embeds ${postgresMajor}. ` +
      'Start the release that made it, move its data to a PostgreSQL server, and set DATABASE_URL.',
  );
}

async function openInMemory(): Promise<PGlite> {
  const template = readTemplate();
  return PGlite.create({
    ...(await pgliteProgram()),
    dataDir: 'memory://',
    startParams: serverParameters(PGlite.defaultStartParams, false),
    ...(template && { loadDataDir: new Blob([new Uint8Array(template)]) }),
  });
}

async function openOnDisk(dataDir: string, progress: Progress): Promise<PGlite> {
  const dir = join(dataDir, 'database');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(dir)) await createCluster(dir, progress);
  refuseOtherVersion(dir);
  const startParams = serverParameters(PGlite.defaultStartParams, true);
  return PGlite.create({ ...(await pgliteProgram()), fs: new DurableFiles(dir), startParams });
}

/**
 * Opens the embedded database in `dataDir`, making it first when there is none, or one in memory when `dataDir` is
 * undefined. The directory is ours until the database is closed or the process ends.
 * @throws DataDirInUse when another process has it.
 */
export async function openPglite(dataDir: string | undefined, options: PgliteOptions = {}): Promise<Database> {
  const lock = dataDir === undefined ? undefined : lockDataDir(dataDir);
  try {
    const progress = options.onProgress ?? (() => undefined);
    const open = () => (dataDir === undefined ? openInMemory() : openOnDisk(dataDir, progress));
    const engine = await PgliteEngine.start(open, { reopens: dataDir !== undefined });
    const pool = knexFactory({
      client: 'pg',
      connection: engine.connect,
      // One session is all that PGlite has: a second one would mix its protocol messages with the first one's.
      pool: { min: 0, max: 1 },
      acquireConnectionTimeout: 10_000,
      log: quiet,
    });
    const maintenance = startMaintenance(pool);
    return createDatabase(pool, 'pglite', async () => {
      await maintenance[Symbol.asyncDispose]();
      await engine.close();
      lock?.[Symbol.dispose]();
    });
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}
