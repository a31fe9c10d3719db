import { AppError } from '../../shared/errors.ts';
import type { EdgeContext } from './context.ts';

/** The fields of a posted form, each exactly once. */
export type Form = ReadonlyMap<string, string>;

const maxFields = 100;
const badName = /[[\]]|^(?:__proto__|constructor|prototype)$/;

const unreadable = (reason: string): AppError =>
  new AppError('invalid_input', 'That form could not be read. Go back, reload the page and send it again.', { reason });

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw unreadable('percent-encoding that is not UTF-8');
  }
}

/**
 * Reads `application/x-www-form-urlencoded` strictly: UTF-8, no field twice, no arrays, no NUL, at most 100 fields.
 * @throws AppError `invalid_input`
 */
export function readForm(body: Uint8Array): Form {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw unreadable('bytes that are not UTF-8');
  }
  const form = new Map<string, string>();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > maxFields) throw unreadable('too many fields');
  for (const pair of pairs) {
    const split = pair.indexOf('=');
    const name = decode(split < 0 ? pair : pair.slice(0, split));
    const value = split < 0 ? '' : decode(pair.slice(split + 1));
    if (badName.test(name)) throw unreadable('a field name that no form of ours has');
    if (form.has(name)) throw unreadable('a field twice');
    if (name.includes('\0') || value.includes('\0')) throw unreadable('a NUL character');
    form.set(name, value);
  }
  return form;
}

/** The form of this request, empty when it has no body. Needs `bodyGuard` before it. */
export const parseForm = (ctx: EdgeContext): Form => readForm(ctx.state.body ?? new Uint8Array());
