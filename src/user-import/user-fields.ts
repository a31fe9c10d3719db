/** Where a field is looked for when no mapping says otherwise, in this order; dots lead into objects. */
const sources = (name: string, ...others: string[]): readonly [string, readonly string[]] => [name, [name, ...others]];

const profileClaims = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
] as const;

const addressParts = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'] as const;

const passwordParts = [
  'hash',
  'algorithm',
  'encoding',
  'salt',
  'salt_encoding',
  'order',
  'iterations',
  'n',
  'r',
  'p',
  'signer_key',
  'salt_separator',
  'changed_at',
] as const;

/** Every field of a user, and the columns that hold it. */
export const userFields: ReadonlyMap<string, readonly string[]> = new Map([
  sources('email'),
  sources('username'),
  sources('email_verified'),
  sources('status'),
  sources('roles'),
  sources('source_id', 'id'),
  sources('phone_number'),
  sources('phone_number_verified'),
  sources('totp_secret'),
  sources('must_change'),
  ...profileClaims.map((claim) => sources(claim, `profile.${claim}`)),
  sources('profile', 'profile.profile'),
  ...addressParts.map((part) => sources(`address_${part}`, `address.${part}`)),
  ...passwordParts.map((part) => sources(`password_${part}`, `password.${part}`)),
]);

/** The claims of a profile that a row has. */
export const profileOf = (text: (field: string) => string | undefined): Record<string, string> =>
  collect([...profileClaims, 'profile'], text);

/** The parts of an address that a row has; undefined when it has none. */
export function addressOf(text: (field: string) => string | undefined): Record<string, string> | undefined {
  const parts = collect(addressParts, (part) => text(`address_${part}`));
  return Object.keys(parts).length > 0 ? parts : undefined;
}

const collect = (names: readonly string[], text: (name: string) => string | undefined): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = text(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
