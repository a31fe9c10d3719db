import { AppError } from '../shared/errors.ts';
import { webhookEvents } from './event.ts';

/** Somewhere that events are posted to. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description?: string | undefined;
  /** Types such as `account.created`, groups such as `account.*`, or `*`. */
  readonly events: readonly string[];
  /** Whether events carry addresses and browsers of people, and names that they chose. */
  readonly personalData: boolean;
  /** Failed tries since the last one that went well. */
  readonly failures: number;
  /** Milliseconds since the epoch, as every moment here. */
  readonly failingSince?: number | undefined;
  /** No events are kept for it since then. */
  readonly disabledAt?: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What an operator gives. */
export interface NewEndpoint {
  readonly url: string;
  readonly description?: string | undefined;
  readonly events: readonly string[];
  readonly personalData?: boolean | undefined;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function problemOfUrl(text: string, allowLoopback: boolean): string | undefined {
  if (!URL.canParse(text)) return 'Give an absolute https address.';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'Leave user and password out; requests are signed.';
  if (url.hash !== '') return 'Leave the fragment out.';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && loopback.test(url.hostname) && allowLoopback) return undefined;
  return 'Give an https address.';
}

const isKnown = (pattern: string): boolean =>
  pattern === '*' || Object.keys(webhookEvents).some((type) => matchesPattern(pattern, type));

/** Whether a type is one that the pattern stands for. SQL says the same in `delivery-store-sql.ts`. */
export const matchesPattern = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

/** @throws AppError `invalid_input` naming what is wrong with each field. */
export function checkEndpoint(
  input: NewEndpoint,
  allowLoopback: boolean,
): Pick<Endpoint, 'url' | 'events' | 'personalData'> {
  const fields: Record<string, string> = {};
  const problem = problemOfUrl(input.url, allowLoopback);
  if (problem !== undefined) fields.url = problem;
  const unknown = input.events.filter((pattern) => !isKnown(pattern));
  if (input.events.length === 0) fields.events = 'Name one event or more, or * for all of them.';
  else if (unknown.length > 0) fields.events = `There is no such event: ${unknown.join(', ').slice(0, 200)}.`;
  if (Object.keys(fields).length > 0) {
    throw new AppError('invalid_input', 'The webhook cannot be accepted.', { fields });
  }
  return {
    url: new URL(input.url).href,
    events: [...new Set(input.events)].sort(),
    personalData: input.personalData ?? false,
  };
}
