import { type NewAccount, readNewAccount } from '../accounts/index.ts';
import { type HashParts, readForeignHash, readTotpSecret } from '../credentials/index.ts';
import { AppError } from '../shared/errors.ts';
import { RowValues } from './row-values.ts';
import { addressOf, profileOf } from './user-fields.ts';
import type { ImportSettings } from './user-import.ts';

/** A user as a row describes them, checked. */
export interface UserToImport {
  readonly account: NewAccount;
  /** What no two accounts may share, as accounts compare them. */
  readonly keys: { readonly email: string; readonly username?: string | undefined };
  readonly suspended: boolean;
  readonly mustChange: boolean;
  readonly sourceId?: string | undefined;
  readonly password?:
    | { readonly stored: string; readonly kind: string; readonly changedAt?: number | undefined }
    | undefined;
  readonly totpSecret?: string | undefined;
}

export type UserReading = { readonly unused: readonly string[] } & (
  | { readonly user: UserToImport }
  | { readonly fields: Readonly<Record<string, string>> }
);

const sourceId = /^[\x21-\x7e]{1,200}$/;

function readPassword(values: RowValues): UserToImport['password'] {
  const hash = values.text('password_hash');
  const algorithm = values.text('password_algorithm');
  const changedAt = values.moment('password_changed_at');
  if (hash === undefined) return undefined;
  const parts: HashParts = {
    algorithm: algorithm ?? '',
    hash,
    encoding: values.text('password_encoding'),
    salt: values.text('password_salt'),
    saltEncoding: values.text('password_salt_encoding'),
    order: values.text('password_order'),
    iterations: values.text('password_iterations'),
    n: values.text('password_n'),
    r: values.text('password_r'),
    p: values.text('password_p'),
    signerKey: values.text('password_signer_key'),
    saltSeparator: values.text('password_salt_separator'),
  };
  // A text that names its algorithm needs no parts beside it.
  const reading = readForeignHash(algorithm === undefined || /^\{|\$/.test(hash) ? hash : parts);
  if (reading.ok) return { stored: reading.stored, kind: reading.kind, changedAt };
  values.problems.password_hash ??= reading.reason;
  return undefined;
}

function readTotp(values: RowValues): string | undefined {
  const text = values.text('totp_secret');
  const reading = text === undefined ? undefined : readTotpSecret(text);
  if (reading && !reading.ok) values.problems.totp_secret ??= reading.reason;
  return reading?.ok ? reading.secret : undefined;
}

const statuses = ['active', 'unverified', 'suspended'] as const;

function readStatus(values: RowValues): (typeof statuses)[number] {
  const text = values.text('status') ?? 'active';
  const known = statuses.find((status) => status === text);
  if (!known) values.problems.status ??= `Use one of ${statuses.join(', ')}.`;
  return known ?? 'active';
}

function readAccount(values: RowValues, status: (typeof statuses)[number]): NewAccount {
  const text = (field: string): string | undefined => values.text(field);
  const phoneNumber = values.text('phone_number');
  return {
    email: values.text('email') ?? '',
    username: values.text('username'),
    emailVerified: values.flag('email_verified'),
    status: status === 'unverified' ? status : 'active',
    roles: values.list('roles'),
    profile: profileOf(text),
    address: addressOf(text),
    phoneNumber,
    phoneNumberVerified: values.flag('phone_number_verified'),
  };
}

const fieldNames: Readonly<Record<string, string>> = {
  emailVerified: 'email_verified',
  phoneNumber: 'phone_number',
  phoneNumberVerified: 'phone_number_verified',
};

/** A field of accounts as rows call it: `profile.name` is `name` there, `address.locality` is `address_locality`. */
const asColumn = (path: string): string =>
  fieldNames[path] ??
  path
    .replace(/^profile\./, '')
    .replace(/^address\./, 'address_')
    .replace(/^roles\..*/, 'roles');

function check(account: NewAccount, values: RowValues): UserToImport['keys'] | undefined {
  try {
    const { email, username } = readNewAccount(account);
    return { email: email.key, username: username?.key };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    for (const [path, text] of Object.entries(error.details.fields ?? {})) values.problems[asColumn(path)] ??= text;
    return undefined;
  }
}

/** Reads a row as far as that goes without a database; it never throws because of what is in it. */
export function readUser(record: Readonly<Record<string, unknown>>, settings: ImportSettings): UserReading {
  const values = new RowValues(record, settings);
  const status = readStatus(values);
  const account = readAccount(values, status);
  const id = values.text('source_id');
  if (id !== undefined && !sourceId.test(id))
    values.problems.source_id ??= 'An id has 1 to 200 visible ASCII characters.';
  if (account.roles?.includes('admin') && !settings.allowAdmin) {
    values.problems.roles ??= 'Administrators are imported with --allow-admin only.';
  }
  const password = readPassword(values);
  const totpSecret = readTotp(values);
  const mustChange = values.flag('must_change') ?? settings.mustChange;
  const keys = check(account, values);
  const { unused } = values;
  if (!keys || Object.keys(values.problems).length > 0) return { unused, fields: values.problems };
  const user = { account, keys, suspended: status === 'suspended', mustChange, sourceId: id, password, totpSecret };
  return { unused, user };
}
