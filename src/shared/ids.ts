import { randomFillSync } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type AccountId = Branded<'AccountId'>;
export type ClientId = Branded<'ClientId'>;
export type SessionId = Branded<'SessionId'>;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/**
 * The next `length` bytes of the system's randomness, fetched 4 KiB at a time: a call for each id costs ten times as
 * much. They are overwritten when they are handed out again, never before, so a caller reads them at once.
 */
function nextBytes(length: number): Buffer {
  if (length > pool.length) return randomFillSync(Buffer.allocUnsafeSlow(length));
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return pool.subarray(used - length, used);
}

/** Random text of `length` Crockford base32 characters, 5 bits each: nothing in it reads like another character. */
export function randomText(length: number): string {
  let text = '';
  for (const byte of nextBytes(length)) text += alphabet[byte & 31];
  return text;
}

/** 256 random bits, URL-safe: for secrets and one-time tokens. */
export const randomSecret = (): string => nextBytes(32).toString('base64url');

/** A new account id, 120 random bits. It is the `sub` of every token, so it never says who the person is. */
export const newAccountId = (): AccountId => `acc_${randomText(24)}` as AccountId;

/** Takes a stored or verified string as an account id; it does not check that the account exists. */
export const asAccountId = (value: string): AccountId => value as AccountId;

/** A new client id. The prefix keeps the namespaces of `sub` and `client_id` apart (RFC 9700 §4.15). */
export const newClientId = (): ClientId => `app_${randomText(20)}` as ClientId;

/** Takes a stored or verified string as a client id. */
export const asClientId = (value: string): ClientId => value as ClientId;

/** An id for a log line, an audit row and the page that shows it: 80 random bits. */
export const newReference = (prefix: 'req' | 'evt'): string => `${prefix}_${randomText(16)}`;

/** A new session id, 120 random bits: a handle to name a session by, never what opens it. */
export const newSessionId = (): SessionId => `ses_${randomText(24)}` as SessionId;

/** Takes a stored or typed string as a session id. */
export const asSessionId = (value: string): SessionId => value as SessionId;
