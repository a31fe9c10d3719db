import type { Account } from './account.ts';

const own: Readonly<Record<string, (account: Account) => Record<string, unknown>>> = {
  openid: (account) => ({ sub: account.id }),
  profile: (account) => ({
    ...(account.username !== undefined && { preferred_username: account.username }),
    ...account.profile,
    updated_at: Math.floor(account.updatedAt / 1000),
  }),
  email: (account) => ({ email: account.email, email_verified: account.emailVerified }),
  address: (account) => (account.address ? { address: account.address } : {}),
  phone: (account) =>
    account.phoneNumber === undefined
      ? {}
      : { phone_number: account.phoneNumber, phone_number_verified: account.phoneNumberVerified },
};

/**
 * The standard claims of an account (OpenID Connect Core §5.1): those that `scopes` open, or all when it is left out.
 * `sub` is always there, absent facts never are, and `updated_at` counts seconds.
 */
export function toClaims(
  account: Account,
  scopes: Iterable<string> = Object.keys(own),
): { sub: string } & Record<string, unknown> {
  const claims: { sub: string } & Record<string, unknown> = { sub: account.id };
  for (const scope of scopes) {
    if (Object.hasOwn(own, scope)) Object.assign(claims, own[scope]?.(account));
  }
  return claims;
}
