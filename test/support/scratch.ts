import { accessSync, constants, cpSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/storage/migrate.ts';
import { openPglite } from '../../src/storage/pglite.ts';

const memory = '/dev/shm';
const roomBytes = 2 ** 31;

/**
 * Where the directories of a run go: into memory where there is room, since making and removing the thousand files of
 * a database on disk takes longer than most tests of it. Nothing here has to outlive the machine.
 */
export function scratchRoot(): string {
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= roomBytes ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** A data directory with a migrated embedded database and nothing in it, made once for all tests of a run. */
export async function makeDataDirTemplate(): Promise<{ readonly dir: string } & Disposable> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-template-'));
  const database = await openPglite(dir);
  await migrate(database);
  // Half of the files that every test would copy and remove. Nobody makes databases from them here.
  await database.sql.raw("update pg_database set datistemplate = false where datname like 'template_'");
  for (const name of ['template0', 'template1']) await database.sql.raw(`drop database if exists ${name}`);
  await database[Symbol.asyncDispose]();
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Fills a new data directory from the run's template, if there is one; without it the server makes its own. */
export function fillDataDir(dataDir: string): void {
  const template = process.env.TEST_DATA_DIR_TEMPLATE;
  if (template) cpSync(join(template, 'database'), join(dataDir, 'database'), { recursive: true });
}
