import { createHash, hash } from 'node:crypto';

/** An event as the chain sees it: every column of the log, absent ones as null. */
export interface ChainedEvent {
  readonly id: string;
  /** Microseconds since the epoch, in decimal. */
  readonly at: string;
  readonly type: string;
  readonly outcome: string;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly sessionId: string | null;
  readonly requestId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly details: unknown;
}

/** A place in the chain: the number of an event and the hash over it and all before it, 64 hexadecimal digits. */
export interface ChainHead {
  readonly number: number;
  readonly hash: string;
}

/** Where every chain begins. */
export const chainStart: ChainHead = { number: 0, hash: '00'.repeat(32) };

/**
 * JSON in the one form that RFC 8785 gives it: no space, keys sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them. Undefined is not JSON and must not occur.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${members.join(',')}}`;
}

/** What may name a person, and goes when they do. */
const personalOf = ({ details, ip, userAgent }: ChainedEvent): string => canonicalJson({ details, ip, userAgent });

/** The digest that stands in the chain for what is personal: SHA-256 over the salt and the values. @param salt hexadecimal */
export const personalDigest = (event: ChainedEvent, salt: string): string =>
  createHash('sha256').update(Buffer.from(salt, 'hex')).update(personalOf(event)).digest('hex');

/** Whether nothing personal is left in an event, or never was. */
export const isBare = ({ details, ip, userAgent }: ChainedEvent): boolean =>
  details === null && ip === null && userAgent === null;

/** The text of one link; docs/audit.md shows it to whoever writes a checker of their own. */
export const linkText = (event: ChainedEvent, number: number, personal: string): string => {
  const { details: _details, ip: _ip, userAgent: _agent, ...rest } = event;
  return canonicalJson({ ...rest, number, personal, version: 1 });
};

/** The head after one more event: SHA-256 over the hash before it and its text. */
export const nextHead = (previous: ChainHead, event: ChainedEvent, personal: string): ChainHead => {
  const number = previous.number + 1;
  return { number, hash: hash('sha256', `${previous.hash}${linkText(event, number, personal)}`) };
};
