/** How other systems kept a password, beside argon2 of our own parameters. */
export type ForeignHash = Argon2Hash | BcryptHash | Pbkdf2Hash | ScryptHash | ShaHash;

export type ShaName = 'sha1' | 'sha256' | 'sha512';

interface Argon2Hash {
  readonly kind: 'argon2';
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  readonly phc: string;
}

interface BcryptHash {
  readonly kind: 'bcrypt';
  readonly cost: number;
  readonly crypt: string;
  /** Whether bcrypt was given the hex SHA-256 of the password, as Django's `bcrypt_sha256` does. */
  readonly ofSha256: boolean;
}

interface Salted {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

interface Pbkdf2Hash extends Salted {
  readonly kind: 'pbkdf2';
  readonly digest: ShaName;
  readonly iterations: number;
}

interface ScryptHash extends Salted {
  readonly kind: 'scrypt';
  /** log2 of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  /** Whether `hash` is the AES-256-CTR key stream of what scrypt derives, as Firebase has it. */
  readonly keyStream: boolean;
}

interface ShaHash extends Salted {
  readonly kind: 'sha';
  readonly digest: ShaName;
  readonly order: 'salt+password' | 'password+salt';
}

/** Bytes of a digest. */
export const digestBytes: Readonly<Record<ShaName, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** The most that verifying one hash may cost, so that no imported row can take the server down. */
export const foreignLimits = {
  bcryptCost: 16,
  pbkdf2Iterations: 2_000_000,
  scryptMemoryBytes: 128 * 1024 * 1024,
  /** Times p: memory that is gone through. */
  scryptWorkBytes: 512 * 1024 * 1024,
  argon2MemoryKiB: 256 * 1024,
  /** Times passes. */
  argon2WorkKiB: 2 * 1024 * 1024,
  lanes: 16,
} as const;

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

function scryptProblem({ ln, r, p }: ScryptHash): string | undefined {
  if (!(ln >= 1 && ln <= 30 && r >= 1 && p >= 1 && p <= foreignLimits.lanes))
    return 'These scrypt parameters are not accepted.';
  const memory = 128 * 2 ** ln * r;
  if (memory > foreignLimits.scryptMemoryBytes) {
    return `scrypt would take ${mebibytes(memory)}; ${mebibytes(foreignLimits.scryptMemoryBytes)} is the most.`;
  }
  return memory * p > foreignLimits.scryptWorkBytes ? `scrypt with p=${p} takes too long.` : undefined;
}

function argon2Problem({ memoryKiB, passes, lanes }: Argon2Hash): string | undefined {
  const { argon2MemoryKiB, argon2WorkKiB } = foreignLimits;
  if (!(memoryKiB >= 8 * lanes && passes >= 1 && lanes >= 1 && lanes <= foreignLimits.lanes)) {
    return 'These argon2 parameters are not accepted.';
  }
  if (memoryKiB > argon2MemoryKiB) {
    return `argon2 would take ${mebibytes(memoryKiB * 1024)}; ${mebibytes(argon2MemoryKiB * 1024)} is the most.`;
  }
  return memoryKiB * passes > argon2WorkKiB ? `argon2 with ${passes} passes takes too long.` : undefined;
}

function sizesProblem({ salt, hash }: Salted, saltNeeded: boolean): string | undefined {
  if (hash.length < 16 || hash.length > 128) return 'A hash has 16 to 128 bytes.';
  if (salt.length > 256) return 'A salt has 256 bytes at most.';
  return saltNeeded && salt.length === 0 ? 'This kind of hash needs a salt.' : undefined;
}

/** Why a hash is not accepted, for a person; undefined when it is. */
export function problemOf(hash: ForeignHash): string | undefined {
  switch (hash.kind) {
    case 'argon2':
      return argon2Problem(hash);
    case 'bcrypt':
      if (hash.cost >= 4 && hash.cost <= foreignLimits.bcryptCost) return undefined;
      return `bcrypt has cost ${hash.cost}; 4 to ${foreignLimits.bcryptCost} is accepted.`;
    case 'pbkdf2':
      if (hash.iterations >= 1 && hash.iterations <= foreignLimits.pbkdf2Iterations) return sizesProblem(hash, true);
      return `PBKDF2 has ${hash.iterations} iterations; ${foreignLimits.pbkdf2Iterations} is the most.`;
    case 'scrypt':
      return scryptProblem(hash) ?? sizesProblem(hash, true);
    case 'sha':
      if (hash.hash.length === digestBytes[hash.digest]) return sizesProblem(hash, false);
      return `The hash has ${hash.hash.length} bytes; ${hash.digest} has ${digestBytes[hash.digest]}.`;
  }
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');
const toBytes = (text: string): Uint8Array => Buffer.from(text, 'base64');

/** The text that is stored: the PHC string format, or crypt's own for bcrypt. */
export function formatForeignHash(hash: ForeignHash): string {
  if (hash.kind === 'argon2') return hash.phc;
  if (hash.kind === 'bcrypt') return hash.ofSha256 ? `$bcrypt-of-sha256${hash.crypt}` : hash.crypt;
  const end = `${toText(hash.salt)}$${toText(hash.hash)}`;
  if (hash.kind === 'pbkdf2') return `$pbkdf2-${hash.digest}$i=${hash.iterations}$${end}`;
  if (hash.kind === 'sha') return `$${hash.digest}$o=${hash.order}$${end}`;
  return `$${hash.keyStream ? 'firebase-' : ''}scrypt$ln=${hash.ln},r=${hash.r},p=${hash.p}$${end}`;
}

const base64 = '[A-Za-z0-9+/]';
const shapes = {
  argon2: new RegExp(
    `^\\$argon2(?:id|i|d)(?:\\$v=(?:16|19))?\\$([mtp]=\\d{1,10},[mtp]=\\d{1,10},[mtp]=\\d{1,10})\\$${base64}{11,128}\\$${base64}{16,172}$`,
  ),
  bcrypt: /^(\$bcrypt-of-sha256)?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})$/,
  pbkdf2: new RegExp(`^\\$pbkdf2-(sha1|sha256|sha512)\\$i=(\\d{1,10})\\$(${base64}*)\\$(${base64}+)$`),
  scrypt: new RegExp(`^\\$(firebase-)?scrypt\\$ln=(\\d{1,2}),r=(\\d{1,5}),p=(\\d{1,5})\\$(${base64}*)\\$(${base64}+)$`),
  sha: new RegExp(`^\\$(sha1|sha256|sha512)\\$o=(salt\\+password|password\\+salt)\\$(${base64}*)\\$(${base64}+)$`),
};

/** Reads a stored text, within the limits or not; undefined when it is none of these. Longer ones than 1000 are none. */
export function parseForeignHash(text: string): ForeignHash | undefined {
  if (text.length > 1000) return undefined;
  const argon2 = shapes.argon2.exec(text);
  if (argon2) {
    const values = new Map(argon2[1]?.split(',').map((pair) => [pair[0], Number(pair.slice(2))]));
    const [memoryKiB = 0, passes = 0, lanes = 0] = [values.get('m'), values.get('t'), values.get('p')];
    return { kind: 'argon2', memoryKiB, passes, lanes, phc: text };
  }
  const [, ofSha256, crypt, cost] = shapes.bcrypt.exec(text) ?? [];
  if (crypt !== undefined) return { kind: 'bcrypt', cost: Number(cost), crypt, ofSha256: ofSha256 !== undefined };
  return parseSalted(text);
}

function parseSalted(text: string): ForeignHash | undefined {
  const pbkdf2 = shapes.pbkdf2.exec(text);
  if (pbkdf2) {
    const [, digest, iterations, salt = '', hash = ''] = pbkdf2;
    return {
      kind: 'pbkdf2',
      digest: digest as ShaName,
      iterations: Number(iterations),
      salt: toBytes(salt),
      hash: toBytes(hash),
    };
  }
  const scrypt = shapes.scrypt.exec(text);
  if (scrypt) {
    const [, firebase, ln, r, p, salt = '', hash = ''] = scrypt;
    const parameters = { ln: Number(ln), r: Number(r), p: Number(p) };
    return {
      kind: 'scrypt',
      ...parameters,
      keyStream: firebase !== undefined,
      salt: toBytes(salt),
      hash: toBytes(hash),
    };
  }
  const [, digest, order, salt = '', hash = ''] = shapes.sha.exec(text) ?? [];
  if (digest === undefined) return undefined;
  return {
    kind: 'sha',
    digest: digest as ShaName,
    order: order as ShaHash['order'],
    salt: toBytes(salt),
    hash: toBytes(hash),
  };
}

/** The bytes of a password that bcrypt looks at. */
const bcryptBytes = 72;

/**
 * Whether this hash says nothing about the end of the password. What matched such a hash is not known to be the
 * password to its last character, so it must not take the hash's place.
 */
export function ignoresEndOf(stored: string, password: string): boolean {
  const hash = parseForeignHash(stored);
  return hash?.kind === 'bcrypt' && !hash.ofSha256 && Buffer.byteLength(password) > bcryptBytes;
}
