import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../shared/errors.ts';

/** Thrown when another process has the data directory; `pid` is that process when it is known. */
export class DataDirInUse extends AppError {
  readonly pid: number | undefined;

  constructor(dataDir: string, pid: number | undefined) {
    const owner = pid === undefined ? 'another process' : `process ${pid}`;
    super(
      'conflict',
      `The data directory ${dataDir} is in use by ${owner}. Stop it first, or give this one a SALLYPORT_DATA_DIR of its own.`,
    );
    this.name = 'DataDirInUse';
    this.pid = pid;
  }
}

/** Kept here as well as by their owners: a lock that is garbage collected is a lock that is let go. */
const held = new Set<DatabaseSync>();

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the data directory for this process until it is disposed or the process ends, however it ends.
 *
 * The lock is the kernel's (fcntl, held through an empty SQLite file, since Node has no call of its own): nothing is left
 * behind by `kill -9`, no process id is ever mistaken for another, and it holds across containers that share a volume.
 * @throws DataDirInUse
 */
export function lockDataDir(dataDir: string): Disposable {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const pidFile = join(dataDir, 'sallyport.pid');
  const lock = new DatabaseSync(join(dataDir, 'sallyport.lock'), { timeout: 0 });
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)) {
      throw new DataDirInUse(dataDir, readPid(pidFile));
    }
    throw error;
  }
  held.add(lock);
  return {
    [Symbol.dispose]() {
      if (!held.delete(lock)) return;
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}
