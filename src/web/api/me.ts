import { z } from 'zod';
import { toClaims } from '../../accounts/index.ts';
import { type Operation, operation, person } from './operation.ts';

const address = z
  .object({
    formatted: z.string().optional(),
    street_address: z.string().optional(),
    locality: z.string().optional(),
    region: z.string().optional(),
    postal_code: z.string().optional(),
    country: z.string().optional(),
  })
  .meta({ id: 'Address', description: 'A postal address (OpenID Connect Core §5.1.1).' });

const text = (description: string) => z.string().optional().meta({ description });

const account = z
  .object({
    sub: z.string().meta({ description: 'Identifies the account for ever. It never says who the person is.' }),
    preferred_username: text('The name that the person signs in with.'),
    name: text('Full name.'),
    given_name: text('First name.'),
    family_name: text('Last name.'),
    middle_name: text('Middle name.'),
    nickname: text('Name among friends.'),
    profile: text('Address of a page about the person.'),
    picture: text('Address of a picture.'),
    website: text('Address of the person’s own site.'),
    gender: text('As the person says it.'),
    birthdate: text('`YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`.'),
    zoneinfo: text('Time zone, for example `Europe/Berlin`.'),
    locale: text('Language tag (BCP 47), for example `en-GB`.'),
    updated_at: z.int().meta({ description: 'Last change, seconds since 1970.' }),
    email: z.string().meta({ description: 'Email address.' }),
    email_verified: z.boolean().meta({ description: 'Whether the person has shown that the address is theirs.' }),
    phone_number: text('E.164, for example `+4930123456`.'),
    phone_number_verified: z
      .boolean()
      .optional()
      .meta({ description: 'Whether the person has shown that the number is theirs.' }),
    address: address.optional(),
  })
  .meta({ id: 'Account', description: 'A person, by the standard claims of OpenID Connect Core §5.1.' });

/** What people do with their own account. */
export const meOperations = (): readonly Operation[] => [
  operation({
    method: 'get',
    path: '/me',
    id: 'getMe',
    tag: 'Account',
    summary: 'Read your account',
    description: 'The account of the person whom the access token stands for.',
    access: person('account:read'),
    replies: {
      200: {
        description: 'The account.',
        body: account,
        headers: { ETag: 'The version of the account.' },
        example: {
          sub: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r',
          preferred_username: 'mara',
          name: 'Mara Lindgren',
          given_name: 'Mara',
          family_name: 'Lindgren',
          locale: 'en-GB',
          updated_at: 1_795_250_520,
          email: 'mara@fernhill.example',
          email_verified: true,
        },
      },
    },
    handler: async ({ caller }) => ({
      status: 200,
      headers: { ETag: `"${caller.account.version}"` },
      body: toClaims(caller.account) as z.input<typeof account>,
    }),
  }),
];
