import type { ForeignHash, ShaName } from './foreign-hash.ts';

/** A hash whose parts lie in columns of their own. Numbers may be text. */
export interface HashParts {
  readonly algorithm: string;
  readonly hash: string;
  /** How `hash` is written; always base64 for `firebase-scrypt`. */
  readonly encoding?: string | undefined;
  readonly salt?: string | undefined;
  /** How `salt` is written: `text` is its own characters, also when they look like hex. */
  readonly saltEncoding?: string | undefined;
  /** Of the SHA family: `salt+password` or `password+salt`. */
  readonly order?: string | undefined;
  readonly iterations?: string | number | undefined;
  /** scrypt's N, or its logarithm for `firebase-scrypt` (`mem_cost`). */
  readonly n?: string | number | undefined;
  readonly r?: string | number | undefined;
  readonly p?: string | number | undefined;
  /** Of `firebase-scrypt`, base64. */
  readonly signerKey?: string | undefined;
  readonly saltSeparator?: string | undefined;
}

/** The algorithms whose hashes have parts. */
export const partAlgorithms: readonly string[] = [
  'sha1',
  'sha256',
  'sha512',
  'pbkdf2-sha1',
  'pbkdf2-sha256',
  'pbkdf2-sha512',
  'scrypt',
  'firebase-scrypt',
];

/** What is wrong, as a sentence. */
class PartProblem extends Error {}

function decode(text: string, encoding: string | undefined, what: string): Uint8Array {
  if (encoding === 'text') return Buffer.from(text, 'utf8');
  if (encoding === 'hex' && /^(?:[0-9a-f]{2})*$/i.test(text)) return Buffer.from(text, 'hex');
  if (encoding === 'base64' && /^[\w+/-]*={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  if (encoding === 'hex' || encoding === 'base64') throw new PartProblem(`The ${what} is not ${encoding}.`);
  throw new PartProblem(`Say how the ${what} is written: hex or base64${what === 'salt' ? ', or text' : ''}.`);
}

function number(value: string | number | undefined, what: string): number {
  const parsed = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof parsed === 'number' && Number.isSafeInteger(parsed) && parsed > 0) return parsed;
  throw new PartProblem(`This kind of hash needs its ${what}.`);
}

const hashBytes = ({ hash, encoding }: HashParts): Uint8Array =>
  decode(hash, encoding === 'text' ? undefined : encoding, 'hash');

const saltBytes = ({ salt, saltEncoding }: HashParts): Uint8Array =>
  salt === undefined || salt === '' ? new Uint8Array() : decode(salt, saltEncoding, 'salt');

function sha(digest: ShaName, parts: HashParts): ForeignHash {
  const { order } = parts;
  const salt = saltBytes(parts);
  if (order !== 'salt+password' && order !== 'password+salt' && salt.length > 0) {
    throw new PartProblem('Say in which order it was hashed: salt+password or password+salt.');
  }
  return {
    kind: 'sha',
    digest,
    order: order === 'salt+password' ? order : 'password+salt',
    salt,
    hash: hashBytes(parts),
  };
}

function scrypt(parts: HashParts): ForeignHash {
  const ln = Math.log2(number(parts.n, 'n'));
  if (!Number.isInteger(ln)) throw new PartProblem("scrypt's n is a power of two.");
  const [r, p] = [number(parts.r, 'r'), number(parts.p, 'p')];
  return { kind: 'scrypt', ln, r, p, keyStream: false, salt: saltBytes(parts), hash: hashBytes(parts) };
}

/**
 * Firebase encrypts its signer key with what scrypt derives, in counter mode. Kept is that key stream alone, which the
 * signer key takes from their hash; so the signer key is nowhere stored.
 */
function firebase(parts: HashParts): ForeignHash {
  const salt = Buffer.concat([
    decode(parts.salt ?? '', 'base64', 'salt'),
    decode(parts.saltSeparator ?? '', 'base64', 'salt separator'),
  ]);
  const hash = decode(parts.hash, 'base64', 'hash');
  const key = decode(parts.signerKey ?? '', 'base64', 'signer key');
  if (key.length === 0 || key.length !== hash.length) {
    throw new PartProblem('The signer key has as many bytes as the hash.');
  }
  const stream = hash.map((byte, index) => byte ^ (key[index] ?? 0));
  return {
    kind: 'scrypt',
    ln: number(parts.n, 'n'),
    r: number(parts.r, 'r'),
    p: 1,
    keyStream: true,
    salt,
    hash: stream,
  };
}

function read(parts: HashParts): ForeignHash {
  switch (parts.algorithm) {
    case 'sha1':
    case 'sha256':
    case 'sha512':
      return sha(parts.algorithm, parts);
    case 'pbkdf2-sha1':
    case 'pbkdf2-sha256':
    case 'pbkdf2-sha512':
      return {
        kind: 'pbkdf2',
        digest: parts.algorithm.slice('pbkdf2-'.length) as ShaName,
        iterations: number(parts.iterations, 'iterations'),
        salt: saltBytes(parts),
        hash: hashBytes(parts),
      };
    case 'scrypt':
      return scrypt(parts);
    case 'firebase-scrypt':
      return firebase(parts);
    default:
      throw new PartProblem(`Use one of ${partAlgorithms.join(', ')}.`);
  }
}

/** The hash of these parts, or why they make none. */
export function hashOfParts(parts: HashParts): ForeignHash | string {
  try {
    return read(parts);
  } catch (error) {
    if (error instanceof PartProblem) return error.message;
    throw error;
  }
}
