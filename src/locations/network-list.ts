import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** A set of addresses and networks. */
export interface NetworkList {
  readonly size: number;
  has(address: string): boolean;
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** @throws AppError `invalid_input` naming the entry that is neither an address nor a CIDR range. */
export function createNetworkList(entries: readonly string[]): NetworkList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, ...rest] = entry.split('/');
    const widest = isIP(address) === 4 ? 32 : 128;
    const sound = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest);
    if (isIP(address) === 0 || rest.length > 0 || !sound) {
      throw new AppError('invalid_input', `"${entry.slice(0, 60)}" is not an IP address or CIDR range.`);
    }
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
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

/** Milliseconds between looks at a file that may have been replaced. */
const lookInterval = 30_000;

/**
 * A list in a file, read again when the file changes. A file that has become unreadable leaves the last good list and is
 * logged. @throws AppError `invalid_input` when the first reading fails.
 */
export function openNetworkFile(path: string, logger: Logger): NetworkList & Disposable {
  const read = (): NetworkList => {
    try {
      return createNetworkList(entriesOf(readFileSync(path, 'utf8')));
    } catch (error) {
      throw new AppError('invalid_input', `The list of addresses ${path} cannot be used: ${reasonOf(error)}`);
    }
  };
  let list = read();
  const look = (): void => {
    try {
      list = read();
    } catch (error) {
      logger.error({ reason: reasonOf(error) }, 'the list of addresses was changed and cannot be used');
    }
  };
  watchFile(path, { interval: lookInterval, persistent: false }, look);
  return {
    get size() {
      return list.size;
    },
    has: (address) => list.has(address),
    [Symbol.dispose]: () => unwatchFile(path, look),
  };
}
