import { createCipheriv, createHash, pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';
import { digestBytes, type ForeignHash, foreignLimits } from './foreign-hash.ts';

type Verifiable = Exclude<ForeignHash, { kind: 'argon2' }>;
type Salted<Kind extends ForeignHash['kind']> = Extract<ForeignHash, { kind: Kind }>;

/** PBKDF2 makes each digest of its output by itself, so the first one is proof, at the cost of one. */
function pbkdf2({ salt, hash, digest, iterations }: Salted<'pbkdf2'>, text: string): boolean {
  const bytes = Math.min(hash.length, digestBytes[digest]);
  return timingSafeEqual(pbkdf2Sync(text, salt, iterations, bytes, digest), hash.subarray(0, bytes));
}

function scrypt({ salt, hash, ln, r, p, keyStream }: Salted<'scrypt'>, text: string): boolean {
  const maxmem = 2 * foreignLimits.scryptMemoryBytes;
  const derived = scryptSync(text, salt, keyStream ? 32 : hash.length, { N: 2 ** ln, r, p, maxmem });
  if (!keyStream) return timingSafeEqual(derived, hash);
  const stream = createCipheriv('aes-256-ctr', derived, Buffer.alloc(16)).update(Buffer.alloc(hash.length));
  return timingSafeEqual(stream, hash);
}

function sha({ digest, order, salt, hash }: Salted<'sha'>, text: string): boolean {
  const password = Buffer.from(text);
  const parts = order === 'salt+password' ? [salt, password] : [password, salt];
  return timingSafeEqual(createHash(digest).update(Buffer.concat(parts)).digest(), hash);
}

/**
 * Whether a password has this hash. It does all the work where it is called, so only hashing threads call it.
 * bcrypt is `bcryptjs`: 102 ms CPU at cost 10 where the native `@node-rs/bcrypt` takes 61, and it is asked once for each
 * person; in return it has no binary that a platform could be without.
 */
export function verifyForeignHash(hash: Verifiable, text: string): boolean {
  switch (hash.kind) {
    case 'bcrypt':
      return compareSync(hash.ofSha256 ? createHash('sha256').update(text).digest('hex') : text, hash.crypt);
    case 'pbkdf2':
      return pbkdf2(hash, text);
    case 'scrypt':
      return scrypt(hash, text);
    case 'sha':
      return sha(hash, text);
  }
}
