import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type AccountId = Branded<'AccountId'>;
export type ClientId = Branded<'ClientId'>;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Random text of `length` Crockford base32 characters, 5 bits each: nothing in it reads like another character. */
export function randomText(length: number): string {
  let text = '';
  for (const byte of randomBytes(length)) text += alphabet[byte & 31];
  return text;
}

/** 256 random bits, URL-safe: for secrets and one-time tokens. */
export const randomSecret = (): string => randomBytes(32).toString('base64url');

/** A new account id, 120 random bits. It is the `sub` of every token, so it never says who the person is. */
export const newAccountId = (): AccountId => `acc_${randomText(24)}` as AccountId;

/** Takes a stored or verified string as an account id; it does not check that the account exists. */
export const asAccountId = (value: string): AccountId => value as AccountId;

/** A new client id. The prefix keeps the namespaces of `sub` and `client_id` apart (RFC 9700 §4.15). */
export const newClientId = (): ClientId => `app_${randomText(20)}` as ClientId;

/** Takes a stored or verified string as a client id. */
export const asClientId = (value: string): ClientId => value as ClientId;

/** An id for a log line, an audit row and the page that shows it: 80 random bits. */
export const newReference = (prefix: 'req' | 'err' | 'evt'): string => `${prefix}_${randomText(16)}`;
