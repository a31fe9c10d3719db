import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '../shared/crypto.ts';
import { AppError } from '../shared/errors.ts';

/** Longest path of a unix socket that every system takes (`sun_path`, 104 bytes with its end on some). */
const longest = 100;

/** Where the server of a data directory listens for commands; in the directory itself unless its path is too long. */
export function controlPath(dataDir: string): string {
  const path = join(dataDir, 'control.sock');
  if (Buffer.byteLength(path) <= longest) return path;
  return join(tmpdir(), `sallyport-${sha256(dataDir).slice(0, 20)}`, 'control.sock');
}

/**
 * Makes the directory of the socket, ours alone. In the system's temporary directory anybody may have been first.
 * @throws AppError `conflict` when it is somebody else's.
 */
export function ownControlDirectory(path: string): void {
  const dir = dirname(path);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  assertOwn(dir);
}

/** @throws AppError `conflict` when others could have put this directory, or what is in it, there. */
export function assertOwn(dir: string): void {
  const { uid, mode } = lstatSync(dir);
  const us = process.getuid?.();
  if (us !== undefined && (uid !== us || (mode & 0o022) !== 0)) {
    throw new AppError(
      'conflict',
      `${dir} belongs to another user or can be written by others. Make it yours: chmod 700.`,
    );
  }
}
