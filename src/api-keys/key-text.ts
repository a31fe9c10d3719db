import { crc32 } from 'node:zlib';
import { sha256 } from '../shared/crypto.ts';
import { randomText } from '../shared/ids.ts';

/** What a key looks like: for secret scanners, and for those who have to tell it from a token. */
export const keyPrefix = 'spk_';

const alphabet = '0-9a-hjkmnp-tv-z';
const idLength = 16;
/** 260 bits, five in a character. */
const secretLength = 52;
const checksumLength = 7;
const shape = new RegExp(
  `^(spk_([${alphabet}]{${idLength}})_[${alphabet}]{${secretLength}})([${alphabet}]{${checksumLength}})$`,
);
const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/** CRC-32 in seven characters. It finds typos and texts that only look like a key; it keeps no secret. */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let out = '';
  for (let place = 0; place < checksumLength; place += 1) {
    out = digits[rest & 31] + out;
    rest >>>= 5;
  }
  return out;
}

/** A new handle, 80 random bits: it names a key and opens nothing. */
export const newKeyId = (): string => randomText(idLength);

/** A new text for the key with this id: `spk_<id>_<secret><checksum>`. */
export function newKeyText(id: string): string {
  const start = `${keyPrefix}${id}_${randomText(secretLength)}`;
  return start + checksumOf(start);
}

/** What is stored of a key. Its secret has 260 random bits, so a fast hash is right. */
export const hashOfKey = (text: string): string => sha256(text);

/**
 * Tells the texts of one key apart in what was made from them: 132 bits of the hash. It stands in tokens, which others read;
 * no text is found from it.
 */
export const markOf = (hash: string): string => hash.slice(0, 22);

/** Whether somebody means this as a key; it may be mistyped. */
export const looksLikeKey = (text: string): boolean => text.startsWith(keyPrefix);

/** The id in a key, or undefined when the text can be no key of anybody: found without a look-up. */
export function readKeyText(text: string): { readonly id: string; readonly hash: string } | undefined {
  const [, start, id, checksum] = shape.exec(text) ?? [];
  if (start === undefined || id === undefined || checksumOf(start) !== checksum) return undefined;
  return { id, hash: hashOfKey(text) };
}
