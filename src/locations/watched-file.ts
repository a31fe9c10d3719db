import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** A file that is read again when it is replaced; `current` is its last good reading. */
export interface WatchedFile<T> extends Disposable {
  readonly current: T;
}

/**
 * Reads a file now and whenever it changes. A new file that cannot be used leaves the last good reading and is logged.
 * @param options.name what it is, in the middle of a sentence
 * @param options.seconds between looks at a file that may have been replaced
 * @throws AppError `invalid_input` when the first reading fails.
 */
export function watchedFile<T>(options: {
  readonly path: string;
  readonly name: string;
  readonly seconds: number;
  readonly read: (bytes: Buffer) => T;
  readonly logger: Logger;
}): WatchedFile<T> {
  const { path, name, seconds, read, logger } = options;
  const readNow = (): T => {
    try {
      return read(readFileSync(path));
    } catch (error) {
      throw new AppError('invalid_input', `The ${name} ${path} cannot be used: ${reasonOf(error)}`);
    }
  };
  let current = readNow();
  const look = (): void => {
    try {
      current = readNow();
    } catch (error) {
      logger.error({ reason: reasonOf(error) }, `the ${name} was changed and cannot be used`);
    }
  };
  watchFile(path, { interval: seconds * 1000, persistent: false }, look);
  return {
    get current() {
      return current;
    },
    [Symbol.dispose]: () => unwatchFile(path, look),
  };
}
