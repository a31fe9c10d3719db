import { z } from 'zod';

const unprintable = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

const line = (max: number, lines = false) =>
  z
    .string()
    .trim()
    .min(1, 'Give a value or leave it out.')
    .max(max, `Keep it to ${max} characters.`)
    .refine((text) => !unprintable.test(lines ? text.replaceAll(/\r?\n/g, '') : text), 'It has control characters.');

const webPage = line(2048).refine((text) => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}, 'Give an http or https address.');

function isBirthdate(text: string): boolean {
  const [, year, rest] = /^(\d{4})(-\d{2}-\d{2})?$/.exec(text) ?? [];
  if (year === undefined) return false;
  if (rest === undefined) return year !== '0000';
  // Without a year, 29 February is a day like any other, so a leap year stands in.
  const day = `${year === '0000' ? '2000' : year}${rest}`;
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

function accepts(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

const isTimeZone = (text: string): boolean =>
  !/^[+-]/.test(text) && accepts(() => new Intl.DateTimeFormat('en', { timeZone: text }));
// OpenID Connect Core §5.1 wants underscores accepted too.
const isLocale = (text: string): boolean => accepts(() => Intl.getCanonicalLocales(text.replaceAll('_', '-')));

/** The claims of scope `profile`; unknown names are refused. */
export const profileSchema = z.strictObject({
  name: line(200).optional(),
  given_name: line(100).optional(),
  family_name: line(100).optional(),
  middle_name: line(100).optional(),
  nickname: line(100).optional(),
  preferred_username: line(100).optional(),
  profile: webPage.optional(),
  picture: webPage.optional(),
  website: webPage.optional(),
  gender: line(50).optional(),
  birthdate: line(10).refine(isBirthdate, 'Give YYYY-MM-DD, 0000-MM-DD or YYYY.').optional(),
  zoneinfo: line(64).refine(isTimeZone, 'Give a time zone such as Europe/Berlin.').optional(),
  locale: line(35).refine(isLocale, 'Give a language tag such as en-GB.').optional(),
});

/** The `address` claim. */
export const addressSchema = z.strictObject({
  formatted: line(500, true).optional(),
  street_address: line(200, true).optional(),
  locality: line(100).optional(),
  region: line(100).optional(),
  postal_code: line(20).optional(),
  country: line(100).optional(),
});

/** E.164, with the extension of RFC 3966 that OpenID Connect Core §5.1 allows. */
export const phoneSchema = z
  .string()
  .trim()
  .regex(/^\+[1-9]\d{6,14}(?:;ext=\d{1,8})?$/, 'Give the number with its country code, for example +4930123456.');

export const rolesSchema = z
  .array(z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'A role has 1 to 64 of a–z, 0–9, dash and underscore.'))
  .max(50, 'An account has 50 roles at most.')
  .transform((roles) => [...new Set(roles)].sort());
