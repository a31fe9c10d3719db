import { z } from 'zod';
import { type Account, type AccountPatch, toClaims } from '../../accounts/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { RequestMeta } from '../request-meta.ts';
import { csrfHeader } from './browser-caller.ts';
import { actorOf, contextOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, type PersonCaller, person } from './operation.ts';

const tag = 'Account';
const line = z.string().max(2048);
/** Texts of the standard claims, once to be read and once to be written. */
const claims = {
  name: 'Full name.',
  given_name: 'First name.',
  family_name: 'Last name.',
  middle_name: 'Middle name.',
  nickname: 'Name among friends.',
  preferred_username: 'What an app may call the person in a list.',
  profile: 'Address of a page about the person.',
  picture: 'Address of a picture.',
  website: 'Address of the person’s own site.',
  gender: 'As the person says it.',
  birthdate: '`YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`.',
  zoneinfo: 'Time zone, for example `Europe/Berlin`.',
  locale: 'Language tag (BCP 47), for example `en-GB`.',
} as const;
type ClaimName = keyof typeof claims;
const claimNames = Object.keys(claims) as ClaimName[];

const shapeOf = <Schema extends z.ZodType>(schemaOf: (description: string) => Schema) =>
  Object.fromEntries(claimNames.map((name) => [name, schemaOf(claims[name])])) as Record<ClaimName, Schema>;

const addressNames = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'] as const;
const addressShape = Object.fromEntries(addressNames.map((name) => [name, line.optional()])) as Record<
  (typeof addressNames)[number],
  z.ZodOptional<typeof line>
>;
const address = z
  .object(addressShape)
  .meta({ id: 'Address', description: 'A postal address (OpenID Connect Core §5.1.1).' });

const account = z
  .object({
    sub: z.string().meta({ description: 'Identifies the account for ever. It never says who the person is.' }),
    username: z.string().optional().meta({ description: 'What the person may sign in with, beside the address.' }),
    ...shapeOf((description) => z.string().optional().meta({ description })),
    updated_at: z.int().meta({ description: 'Last change, seconds since 1970.' }),
    email: z.string().meta({ description: 'Email address.' }),
    email_verified: z.boolean().meta({ description: 'Whether the person has shown that the address is theirs.' }),
    phone_number: z.string().optional().meta({ description: 'E.164, for example `+4930123456`.' }),
    phone_number_verified: z
      .boolean()
      .optional()
      .meta({ description: 'Whether the person has shown that the number is theirs.' }),
    address: address.optional(),
  })
  .meta({ id: 'Account', description: 'A person, by the standard claims of OpenID Connect Core §5.1.' });

const patch = z
  .strictObject({
    username: z.string().max(100).nullable().optional().meta({
      description:
        'What the person may sign in with: 3 to 64 of a–z, 0–9, dot, dash and underscore. A change of it wants `account:security` and a recent sign-in, as one of the address does.',
    }),
    ...shapeOf((description) => line.nullable().optional().meta({ description })),
    phone_number: line.nullable().optional().meta({ description: 'E.164. A new number is not verified.' }),
    address: z
      .strictObject(addressShape)
      .nullable()
      .optional()
      .meta({ description: 'A postal address, replaced as a whole.' }),
  })
  .meta({ id: 'AccountPatch', description: 'Claims to change. What is absent stays, what is null is taken away.' });

const example = {
  sub: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r',
  preferred_username: 'mara',
  name: 'Mara Lindgren',
  given_name: 'Mara',
  family_name: 'Lindgren',
  locale: 'en-GB',
  updated_at: 1_795_250_520,
  email: 'mara@fernhill.example',
  email_verified: true,
};

const etagOf = ({ version }: Account): string => `"${version}"`;

const shown = (one: Account) => ({
  status: 200 as const,
  headers: { ETag: etagOf(one) },
  body: { ...toClaims(one), ...(one.username !== undefined && { username: one.username }) } as z.input<typeof account>,
});

const getMe = (): Operation =>
  operation({
    method: 'get',
    path: '/me',
    id: 'getMe',
    tag,
    summary: 'Read your account',
    description: 'The account of the person whom the access token stands for, or who is signed in to the browser.',
    access: person('account:read'),
    replies: {
      200: {
        description: 'The account.',
        body: account,
        headers: {
          ETag: 'The version of the account.',
          [csrfHeader]: 'Only for a page of ours: what its changes have to send.',
        },
        example,
      },
    },
    async handler({ caller: { account: one, by } }) {
      const reply = shown(one);
      const token = by.kind === 'browser' ? { [csrfHeader]: by.csrfToken() } : {};
      return { ...reply, headers: { ...reply.headers, ...token } };
    },
  });

type Patch = z.output<typeof patch>;

/** The change in the words of the domain, which replaces the whole profile. */
function patchOf({ profile: before, username: name }: Account, given: Patch): AccountPatch {
  const { phone_number: phoneNumber, address: newAddress, username, ...named } = given;
  const changed = Object.entries(named).filter(([, value]) => value !== undefined);
  const profile = Object.entries({ ...before, ...Object.fromEntries(changed) }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return {
    ...(changed.length > 0 && { profile: Object.fromEntries(profile) as AccountPatch['profile'] }),
    ...(newAddress !== undefined && { address: newAddress }),
    ...(phoneNumber !== undefined && { phoneNumber }),
    ...(username !== undefined && (username ?? undefined) !== name && { username }),
  };
}

/** Fields by the names that they have here. */
function renamed(error: unknown): unknown {
  const fields = error instanceof AppError ? error.details.fields : undefined;
  if (!(error instanceof AppError) || !fields) return error;
  const names = Object.entries(fields).map(([name, text]) => [
    name.replace(/^profile\./, '').replace(/^phoneNumber$/, 'phone_number'),
    text,
  ]);
  return new AppError(error.code, error.message, { ...error.details, fields: Object.fromEntries(names) }, error.cause);
}

async function change(
  { accounts, limits }: MeSurface,
  caller: PersonCaller,
  { match, given, meta }: { readonly match: string; readonly given: Patch; readonly meta: RequestMeta },
): Promise<Account> {
  const version = match === '*' ? caller.account.version : Number(match.slice(1, -1));
  if (version !== caller.account.version) {
    throw new AppError('conflict', 'The account was changed meanwhile. Read it again and repeat the change.');
  }
  const wanted = patchOf(caller.account, given);
  if (Object.keys(wanted).length === 0) return caller.account;
  if (typeof wanted.username === 'string') await limits.username(caller.account.id);
  try {
    return await accounts.update(caller.account.id, version, wanted, actorOf(caller), contextOf(caller, meta));
  } catch (error) {
    throw renamed(error);
  }
}

const patchMe = (surface: MeSurface): Operation =>
  operation({
    method: 'patch',
    path: '/me',
    id: 'updateMe',
    tag,
    summary: 'Change your profile',
    description:
      'Changes the claims that are named. It takes the `ETag` of what was read, so that nobody overwrites what they have not seen: an older one is refused with 409.',
    access: person('account:write'),
    alsoNeeds: ({ username }) => (username === undefined ? undefined : person('account:security', 'recent')),
    headers: z.strictObject({
      'If-Match': z
        .string('Send the ETag that GET gave you.')
        .regex(/^(?:\*|"\d{1,9}")$/, 'Send one ETag as GET gave it, or *.')
        .meta({ description: 'The `ETag` that was read, or `*` to change it whatever it is now.' }),
    }),
    body: patch,
    example: { given_name: 'Mara', nickname: null, locale: 'en-GB' },
    refusals: {
      conflict:
        'The account was changed meanwhile: read it again and repeat the change. Or somebody else has the username, which `fields` says.',
      rate_limited: 'Too many changes, or too many usernames were asked for. Wait for `Retry-After`.',
      unprocessable: 'A value cannot be: a date, language, time zone, address or number that does not exist.',
    },
    replies: {
      200: { description: 'The account as it is now.', body: account, headers: { ETag: 'Its new version.' }, example },
    },
    handler: async ({ caller, headers, body, meta }) =>
      shown(await change(surface, caller, { match: headers['If-Match'], given: body, meta })),
  });

const changeEmail = ({ registration }: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/email',
    id: 'changeMyEmail',
    tag,
    summary: 'Change your email address',
    description:
      'Sends a link to the new address, which makes the change within 24 hours. The answer is the same for an address that another account has; its owner gets a mail of another kind.',
    access: person('account:security', 'recent'),
    body: z.strictObject({ email: z.string().max(400).meta({ description: 'The new address.' }) }),
    example: { email: 'mara.lindgren@fernhill.example' },
    refusals: { unprocessable: 'It is no address, your own already, or at a domain that cannot be used here.' },
    replies: { 202: { description: 'A mail is on its way. Nothing has changed yet.' } },
    async handler({ caller, body, meta }) {
      // Nobody gets here without one: an API key says nothing of a sign-in, so it is never a recent one.
      const signedInAt = (caller.authTime ?? 0) * 1000;
      await registration.changeEmail(caller.account.id, body.email.trim(), meta, signedInAt);
      return { status: 202 };
    },
  });

/** The account itself. */
export const profileOperations = (surface: MeSurface): readonly Operation[] => [
  getMe(),
  patchMe(surface),
  changeEmail(surface),
];
