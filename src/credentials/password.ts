import { randomBytes } from 'node:crypto';

/** What one argon2id hash costs (RFC 9106 §3.1); parallelism is always 1, since threads hash side by side. */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/** Longest password: 256 code points, which is 1024 bytes of UTF-8 at most. */
export const maxPasswordLength = 256;

/**
 * The text that is hashed: NFKC, so that one password typed on two keyboards is one password (NIST SP 800-63B-4 §3.1.1.2).
 * Undefined for what cannot be a password: nothing, too long before or after, or broken UTF-16.
 */
export function normalisePassword(password: string): string | undefined {
  if (password.length > 2 * maxPasswordLength || !password.isWellFormed()) return undefined;
  const text = password.normalize('NFKC');
  const length = [...text].length;
  return length > 0 && length <= maxPasswordLength && [...password].length <= maxPasswordLength ? text : undefined;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');

/** A hash in the PHC string format, as every argon2 library reads it. */
export const toPhc = (cost: HashCost, salt: Uint8Array, hash: Uint8Array): string =>
  `$argon2id$v=19$m=${cost.memoryKiB},t=${cost.passes},p=1$${base64(salt)}$${base64(hash)}`;

interface StoredCost extends HashCost {
  /** Whether it is argon2id 1.3 with one lane, as we make it. */
  readonly ours: boolean;
}

/** Reads the cost of a stored hash; undefined when it is not a PHC string of argon2. */
export function readCost(phc: string): StoredCost | undefined {
  const [, type, version, parameters] = /^\$argon2(id|i|d)(?:\$v=(\d+))?\$([a-z0-9=,]+)\$/.exec(phc) ?? [];
  if (parameters === undefined) return undefined;
  const values = new Map(parameters.split(',').map((pair) => pair.split('=', 2) as [string, string]));
  const memoryKiB = Number(values.get('m'));
  const passes = Number(values.get('t'));
  if (!(memoryKiB > 0 && passes > 0)) return undefined;
  return { memoryKiB, passes, ours: type === 'id' && version === '19' && values.get('p') === '1' };
}

/** Whether a stored hash should be made anew at the current cost. */
export function isStale(phc: string, current: HashCost): boolean {
  const cost = readCost(phc);
  return !cost?.ours || cost.memoryKiB !== current.memoryKiB || cost.passes !== current.passes;
}

/**
 * The work that a mismatch with a cheaper, older hash still owes, so that it takes as long as one at the current cost.
 * Undefined when it owes none. After the cost was lowered, old hashes take longer until each account signs in once.
 */
export function missingWork(phc: string, current: HashCost): HashCost | undefined {
  const cost = readCost(phc);
  if (!cost) return current;
  const missing = current.memoryKiB * current.passes - cost.memoryKiB * cost.passes;
  const memoryKiB = Math.round(missing / current.passes);
  return memoryKiB < 8 ? undefined : { memoryKiB, passes: current.passes };
}

/** A well-formed hash that no password has: what is verified for somebody who does not exist. */
export const dummyHash = (cost: HashCost): string => toPhc(cost, randomBytes(16), randomBytes(32));
