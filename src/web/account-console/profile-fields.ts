import type { Account, AccountPatch } from '../../accounts/index.ts';
import type { Form } from '../http/form.ts';
import type { AccountProfilePage, ConsoleField } from './data-page-models.ts';
import { timeZones } from './time-zones.ts';

type FieldText = Pick<ConsoleField, 'label' | 'hint' | 'kind' | 'attributes'>;

const field = (label: string, autocomplete: string, more: Partial<FieldText> = {}): FieldText => ({
  label,
  ...more,
  attributes: { autocomplete, ...more.attributes },
});

const url = { attributes: { inputmode: 'url', autocapitalize: 'none', spellcheck: 'false' } };

/** The standard claims (OpenID Connect Core §5.1), by the names that the accounts domain has for them in a refusal. */
const groups: readonly {
  readonly id: string;
  readonly title: string;
  readonly hint?: string;
  readonly fields: Readonly<Record<string, FieldText>>;
}[] = [
  {
    id: 'name',
    title: 'Name',
    hint: 'Apps that may see your profile get these as they are. Everything here may be left empty.',
    fields: {
      'profile.name': field('Full name', 'name'),
      'profile.given_name': field('Given name', 'given-name'),
      'profile.middle_name': field('Middle name', 'additional-name'),
      'profile.family_name': field('Family name', 'family-name'),
      'profile.nickname': field('Nickname', 'nickname'),
      'profile.preferred_username': field('Short name in apps', 'off', {
        hint: 'What an app may call you in a list, for example alex.',
        attributes: { autocapitalize: 'none', spellcheck: 'false' },
      }),
    },
  },
  {
    id: 'about',
    title: 'About you',
    fields: {
      'profile.picture': field('Picture', 'photo', { ...url, hint: 'The https address of an image.' }),
      'profile.profile': field('Profile page', 'url', { ...url, hint: 'An https address.' }),
      'profile.website': field('Website', 'url', { ...url, hint: 'An https address.' }),
      'profile.gender': field('Gender', 'sex', { hint: 'In your own words.' }),
      'profile.birthdate': field('Date of birth', 'bday', {
        hint: 'YYYY-MM-DD, 0000-MM-DD without the year, or the year alone.',
      }),
    },
  },
  {
    id: 'place',
    title: 'Language and time',
    fields: {
      'profile.locale': field('Language', 'language', {
        hint: 'A language tag, for example en-GB.',
        attributes: { autocapitalize: 'none', spellcheck: 'false' },
      }),
      'profile.zoneinfo': field('Time zone', 'off', {
        kind: 'choice',
        hint: 'Times in mails to you are in this zone.',
      }),
    },
  },
  {
    id: 'contact',
    title: 'Phone and address',
    fields: {
      phoneNumber: field('Phone number', 'tel', {
        hint: 'With the country code, for example +4930123456.',
        attributes: { inputmode: 'tel' },
      }),
      'address.street_address': field('Street and number', 'street-address', { kind: 'lines' }),
      'address.postal_code': field('Postal code', 'postal-code'),
      'address.locality': field('Town', 'address-level2'),
      'address.region': field('State or region', 'address-level1'),
      'address.country': field('Country', 'country-name'),
      'address.formatted': field('Whole address', 'off', {
        kind: 'lines',
        hint: 'As it stands on an envelope, for apps that print it.',
      }),
    },
  },
];

/** Every field by its name. */
export type ProfileValues = Readonly<Record<string, string>>;

const names = groups.flatMap(({ fields }) => Object.keys(fields));

/** What an account has, as text. */
export function profileOf({ profile, address, phoneNumber }: Account): ProfileValues {
  const known: Record<string, unknown> = { phoneNumber };
  for (const [key, value] of Object.entries(profile)) known[`profile.${key}`] = value;
  for (const [key, value] of Object.entries(address ?? {})) known[`address.${key}`] = value;
  return Object.fromEntries(names.map((name) => [name, typeof known[name] === 'string' ? known[name] : '']));
}

/** What was typed. Browsers send line breaks as CR LF. */
export const readProfile = (form: Form): ProfileValues =>
  Object.fromEntries(names.map((name) => [name, (form.get(name) ?? '').replaceAll('\r\n', '\n').trim()]));

function partOf(values: ProfileValues, part: 'profile' | 'address'): Record<string, string> {
  const prefix = `${part}.`;
  return Object.fromEntries(
    names.flatMap((name) =>
      name.startsWith(prefix) && values[name] ? [[name.slice(prefix.length), values[name]]] : [],
    ),
  );
}

/** The change that makes the account have these values; empty ones are taken away. */
export function patchOf(values: ProfileValues): AccountPatch {
  const address = partOf(values, 'address');
  return {
    profile: partOf(values, 'profile'),
    address: Object.keys(address).length > 0 ? address : null,
    phoneNumber: values.phoneNumber || null,
  };
}

export const sameProfile = (one: ProfileValues, other: ProfileValues): boolean =>
  names.every((name) => one[name] === other[name]);

/** The form with these values. With `stored`, fields that differ from it say so. */
export function profileGroups(
  values: ProfileValues,
  { errors = {}, stored }: { readonly errors?: Readonly<Record<string, string>>; readonly stored?: ProfileValues } = {},
): AccountProfilePage['groups'] {
  return groups.map(({ fields, ...group }) => ({
    ...group,
    fields: Object.entries(fields).map(([name, text]) => {
      const value = values[name] ?? '';
      const known = value === '' || timeZones.includes(value) ? timeZones : [value, ...timeZones];
      return {
        name,
        value,
        ...text,
        ...(text.kind === 'choice' && { choices: known }),
        ...(errors[name] !== undefined && { error: errors[name] }),
        ...(stored && (stored[name] ?? '') !== value && { stored: stored[name] || 'nothing' }),
      };
    }),
  }));
}
