import { isIP } from 'node:net';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { familyOf, readNetworks } from '../shared/networks.ts';
import { watchedFile } from './watched-file.ts';

/** A set of addresses and networks. */
export interface NetworkList {
  readonly size: number;
  has(address: string): boolean;
}

/** @throws AppError `invalid_input` naming the entry that is neither an address nor a CIDR range. */
export function createNetworkList(entries: readonly string[]): NetworkList {
  const list = readNetworks(
    entries,
    (entry) => new AppError('invalid_input', `"${entry.slice(0, 60)}" is not an IP address or CIDR range.`),
  );
  return {
    size: entries.length,
    has: (address) => entries.length > 0 && isIP(address) !== 0 && list.check(address, familyOf(address)),
  };
}

/** Lines of a file: one address or network each, with comments behind `#` or `;`. */
const entriesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.replace(/[#;].*$/, '').trim())
    .filter((line) => line !== '');

/** Seconds between looks at a file that may have been replaced. */
const lookInterval = 30;

/**
 * A list in a file, read again when the file changes. A file that has become unreadable leaves the last good list and is
 * logged. @throws AppError `invalid_input` when the first reading fails.
 */
export function openNetworkFile(path: string, logger: Logger): NetworkList & Disposable {
  const file = watchedFile({
    path,
    name: 'list of addresses',
    seconds: lookInterval,
    read: (bytes) => createNetworkList(entriesOf(bytes.toString('utf8'))),
    logger,
  });
  return {
    get size() {
      return file.current.size;
    },
    has: (address) => file.current.has(address),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
