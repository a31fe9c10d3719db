import {
  digestBytes,
  type ForeignHash,
  formatForeignHash,
  parseForeignHash,
  problemOf,
  type ShaName,
} from './foreign-hash.ts';
import { type HashParts, hashOfParts } from './foreign-hash-parts.ts';

/** A hash in the form in which it is stored, or why it is not accepted. */
export type ForeignHashReading =
  | { readonly ok: true; readonly stored: string; readonly kind: ForeignHash['kind'] }
  | { readonly ok: false; readonly reason: string };

const bytes = (text: string, encoding: BufferEncoding): Uint8Array => Buffer.from(text, encoding);

/** passlib writes base64 with a dot in the place of the plus. */
const plainBase64 = (text: string): string => text.replaceAll('.', '+');

const bcryptForms = /^(?:\{(?:CRYPT|BLF-CRYPT)\}|bcrypt\$)?(\$2[aby]\$.+)$/;
const djangoBcryptSha256 = /^bcrypt_sha256\$(\$2[aby]\$.+)$/;
const phcPbkdf2 =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,10})(?:,l=\d{1,4})?\$([A-Za-z0-9+/.]*)\$([A-Za-z0-9+/.]+)$/;
const djangoPbkdf2 = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,10})\$([^$]*)\$([A-Za-z0-9+/]+={0,2})$/;
const werkzeugPbkdf2 = /^pbkdf2:(sha1|sha256|sha512):(\d{1,10})\$([^$]*)\$((?:[0-9a-f]{2})+)$/;
const werkzeugScrypt = /^scrypt:(\d{1,10}):(\d{1,5}):(\d{1,5})\$([^$]*)\$((?:[0-9a-f]{2})+)$/;
const djangoSha1 = /^sha1\$([^$]*)\$([0-9a-f]{40})$/;
const ldap = /^\{S?SHA(|256|512)\}([A-Za-z0-9+/]+={0,2})$/;

type Reader = (match: RegExpExecArray) => ForeignHash | undefined;

const pbkdf2 = (
  digest: string | undefined,
  iterations: string | undefined,
  salt: Uint8Array,
  hash: Uint8Array,
): ForeignHash => ({
  kind: 'pbkdf2',
  digest: (digest ?? 'sha1') as ShaName,
  iterations: Number(iterations),
  salt,
  hash,
});

const readers: readonly (readonly [RegExp, Reader])[] = [
  [bcryptForms, ([, crypt = '']) => parseForeignHash(crypt)],
  [djangoBcryptSha256, ([, crypt = '']) => parseForeignHash(`$bcrypt-of-sha256${crypt}`)],
  [
    phcPbkdf2,
    ([, digest, iterations, salt = '', hash = '']) =>
      pbkdf2(digest, iterations, bytes(plainBase64(salt), 'base64'), bytes(plainBase64(hash), 'base64')),
  ],
  [
    djangoPbkdf2,
    ([, digest, iterations, salt = '', hash = '']) =>
      pbkdf2(digest, iterations, bytes(salt, 'utf8'), bytes(hash, 'base64')),
  ],
  [
    werkzeugPbkdf2,
    ([, digest, iterations, salt = '', hash = '']) =>
      pbkdf2(digest, iterations, bytes(salt, 'utf8'), bytes(hash, 'hex')),
  ],
  [
    werkzeugScrypt,
    ([, n, r, p, salt = '', hash = '']) =>
      Number.isInteger(Math.log2(Number(n)))
        ? {
            kind: 'scrypt',
            ln: Math.log2(Number(n)),
            r: Number(r),
            p: Number(p),
            keyStream: false,
            salt: bytes(salt, 'utf8'),
            hash: bytes(hash, 'hex'),
          }
        : undefined,
  ],
  [
    djangoSha1,
    ([, salt = '', hash = '']) => ({
      kind: 'sha',
      digest: 'sha1',
      order: 'salt+password',
      salt: bytes(salt, 'utf8'),
      hash: bytes(hash, 'hex'),
    }),
  ],
  [
    ldap,
    ([, length = '', encoded = '']) => {
      const digest: ShaName = length === '' ? 'sha1' : length === '256' ? 'sha256' : 'sha512';
      const whole = bytes(encoded, 'base64');
      const end = digestBytes[digest];
      return { kind: 'sha', digest, order: 'password+salt', salt: whole.subarray(end), hash: whole.subarray(0, end) };
    },
  ],
];

function fromText(text: string): ForeignHash | undefined {
  const same = parseForeignHash(text);
  if (same) return same;
  for (const [shape, read] of readers) {
    const match = shape.exec(text);
    if (match) return read(match);
  }
  return undefined;
}

/**
 * Reads a password hash of another system: one text that names its algorithm, as bcrypt, PHC, passlib, Django, Werkzeug
 * and LDAP write them, or its parts by name. What would cost too much to verify is refused here, and never stored.
 */
export function readForeignHash(given: string | HashParts): ForeignHashReading {
  const hash = typeof given === 'string' ? (given.length > 1000 ? undefined : fromText(given)) : hashOfParts(given);
  if (hash === undefined) return { ok: false, reason: 'This is not a hash of a known form.' };
  if (typeof hash === 'string') return { ok: false, reason: hash };
  const reason = problemOf(hash);
  return reason === undefined ? { ok: true, stored: formatForeignHash(hash), kind: hash.kind } : { ok: false, reason };
}
