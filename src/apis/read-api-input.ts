import { z } from 'zod';
import { AppError } from '../shared/errors.ts';

const reserved = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
const urn = /^urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9()+,.:=@;$_!*'%/-]+$/;

function isIdentifier(text: string): boolean {
  if (/[^\x21-\x7e]/.test(text) || text.includes('#') || text.includes('*')) return false;
  if (text.startsWith('urn:')) return urn.test(text);
  const url = URL.parse(text);
  if (url?.username !== '' || url.password !== '' || url.search !== '') return false;
  if (url.href !== text && url.href !== `${text}/`) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname));
}

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'Give a value.')
    .max(max, `Keep it to ${max} characters.`)
    .refine((value) => !/\p{C}/u.test(value), 'It has characters that cannot be shown.');

const scopes = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9:._/-]{1,64}$/, 'A scope has 1 to 64 of a–z, 0–9 and : . _ / -')
        .refine((name) => !reserved.has(name), 'This scope belongs to OpenID Connect.'),
      description: text(200),
    }),
  )
  .max(200, 'An API has 200 scopes at most.')
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'A scope is there twice.');

const shape = {
  name: text(100),
  scopes: scopes.optional(),
  tokenFormat: z.enum(['jwt', 'opaque']).optional(),
  signingAlg: z.enum(['ES256', 'RS256', 'EdDSA']).optional(),
  requireSecondFactor: z.boolean().optional(),
  statusList: z.boolean().optional(),
};
// A day: the longest that a JWT should outlive what it says.
const seconds = z.int().min(30, 'Give 30 seconds or more.').max(86_400, 'Give a day (86400 seconds) or less.');

const newApi = z.strictObject({
  ...shape,
  identifier: z
    .string()
    .max(512, 'Keep it to 512 characters.')
    .refine(isIdentifier, 'Give an absolute https address or a urn, without fragment, as it will be in `aud`.'),
  accessTokenSeconds: seconds.optional(),
});

const apiPatch = z.strictObject({
  ...shape,
  name: shape.name.optional(),
  accessTokenSeconds: seconds.nullable().optional(),
});

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields = Object.fromEntries(
    result.error.issues.map((issue) => [
      issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.'),
      issue.code === 'unrecognized_keys' ? 'There is no such field.' : issue.message,
    ]),
  );
  throw new AppError('invalid_input', 'Some fields of the API cannot be accepted.', { fields });
}

/** Checks what `create` was given. @throws AppError `invalid_input` with a sentence for each field. */
export const readNewApi = (input: unknown): z.output<typeof newApi> => read(newApi, input);

/** Checks what `update` was given. @throws AppError `invalid_input` with a sentence for each field. */
export const readApiPatch = (input: unknown): z.output<typeof apiPatch> => read(apiPatch, input);
