import { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import { type EmailAddress, parseEmail } from './email-address.ts';
import { addressSchema, phoneSchema, profileSchema, rolesSchema } from './profile.ts';
import { parseUsername, type Username } from './username.ts';

const parsed = <T>(parse: (text: string) => T | undefined, message: string) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const email = parsed<EmailAddress>(parseEmail, 'Give a mail address, for example alex@example.com.');
const username = parsed<Username>(
  parseUsername,
  'Give 3 to 64 of a–z, 0–9, dot, dash and underscore, with a letter or digit at both ends.',
);

const common = {
  emailVerified: z.boolean().optional(),
  roles: rolesSchema.optional(),
  profile: profileSchema.optional(),
  phoneNumberVerified: z.boolean().optional(),
};

const newAccount = z.strictObject({
  ...common,
  email,
  username: username.optional(),
  status: z.enum(['active', 'unverified']).optional(),
  address: addressSchema.optional(),
  phoneNumber: phoneSchema.optional(),
});

const accountPatch = z.strictObject({
  ...common,
  email: email.optional(),
  username: username.nullable().optional(),
  address: addressSchema.nullable().optional(),
  phoneNumber: phoneSchema.nullable().optional(),
});

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const fields: Record<string, string> = {};
  for (const issue of result.error.issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    for (const name of names) {
      const path = [...issue.path, ...(name === undefined ? [] : [name])].join('.');
      fields[path] ??= name === undefined ? issue.message : 'There is no such field.';
    }
  }
  throw new AppError('invalid_input', 'Some account fields cannot be accepted.', { fields });
}

/** Checks what `create` was given. @throws AppError `invalid_input` with a sentence for each field. */
export const readNewAccount = (input: unknown): z.output<typeof newAccount> => read(newAccount, input);

/** Checks what `update` was given. @throws AppError `invalid_input` with a sentence for each field. */
export const readAccountPatch = (input: unknown): z.output<typeof accountPatch> => read(accountPatch, input);
