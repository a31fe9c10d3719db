import { deflateSync } from 'node:zlib';

/** Bits of an index. 32 KiB before compression, 70 bytes after it while nothing is revoked. */
export const indexBits = 18;

/** Entries of a list. */
export const listSize: number = 2 ** indexBits;

/**
 * The list as `lst` (draft §4.1): one bit for each entry, the least significant of a byte first, ZLIB, base64url. An index
 * that is out of bounds is no entry. @throws RangeError for one.
 */
export function encodeList(invalid: Iterable<number>, size = listSize): string {
  const bytes = new Uint8Array(Math.ceil(size / 8));
  for (const idx of invalid) {
    if (!(idx >= 0 && idx < size)) throw new RangeError(`There is no entry ${idx} in a list of ${size}.`);
    bytes[idx >>> 3] = (bytes[idx >>> 3] ?? 0) | (1 << (idx & 7));
  }
  return deflateSync(bytes, { level: 9 }).toString('base64url');
}
