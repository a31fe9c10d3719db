import { z } from 'zod';
import { describe, list } from './variable.ts';

/** What a new password has to be; read by the password policy. */
export const passwordVariables = {
  SALLYPORT_PASSWORD_MIN_LENGTH: describe(
    z.coerce.number().int().min(8).max(64).default(15),
    'Characters that a password needs when it opens an account alone.',
  ),
  SALLYPORT_PASSWORD_MIN_LENGTH_WITH_SECOND_FACTOR: describe(
    z.coerce.number().int().min(8).max(64).default(8),
    'Characters that a password needs beside a second factor.',
  ),
  SALLYPORT_PASSWORD_MIN_STRENGTH: describe(
    z.coerce.number().int().min(0).max(4).default(3),
    'Least strength of a new password as zxcvbn counts it: 0 takes all, 2 is fair, 3 good, 4 strong. Beside a second factor one step less is enough.',
  ),
  SALLYPORT_PASSWORD_WORDS: describe(
    list.default([]),
    'Comma-separated names of yours, such as the company and its products, that no password may consist of. The host of the issuer is one already.',
  ),
  SALLYPORT_PASSWORD_BREACHES: describe(
    z
      .string()
      .refine(
        (place) =>
          !/^[a-z]+:\/\//i.test(place) || /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])/i.test(place),
        {
          error: 'Give an https address or the path of a file',
        },
      )
      .optional(),
    'Where new passwords are looked up among breached ones: the address of a range API, for example https://api.pwnedpasswords.com/range/ (it is told five digits of a hash), or a file of sorted lines SHA1:COUNT. Default: nowhere, since it asks somebody else.',
  ),
  SALLYPORT_PASSWORD_CLASSES: describe(
    z
      .string()
      .regex(/^(upper|lower|digit|symbol)=[1-9](,(upper|lower|digit|symbol)=[1-9])*$/, {
        error: 'Give counts like upper=1,lower=1,digit=1,symbol=1',
      })
      .transform((text) => Object.fromEntries(text.split(',').map((part) => part.split('='))))
      .pipe(z.partialRecord(z.enum(['upper', 'lower', 'digit', 'symbol']), z.coerce.number()))
      .default({}),
    'Kinds of characters that a password needs, for example upper=1,digit=1, for auditors who ask. NIST SP 800-63B advises against it. Default: none.',
  ),
  SALLYPORT_PASSWORD_MAX_AGE_DAYS: describe(
    z.coerce.number().int().min(1).max(3650).optional(),
    'Days after which a password has to be changed, for auditors who ask. Default: passwords do not expire.',
  ),
  SALLYPORT_PASSWORD_HISTORY: describe(
    z.coerce.number().int().min(1).max(24).default(1),
    'How many passwords may not come back, the present one included. A change costs one hash for each.',
  ),
};
