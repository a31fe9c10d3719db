import type { Account } from '../accounts/index.ts';
import type { Identity } from './identity-headers.ts';

/** What an app may know of a person, by the scopes that it was given (OpenID Connect Core §5.4). */
export function personOf(
  account: Account | undefined,
  scopes: readonly string[],
): Pick<Identity, 'username' | 'name' | 'email'> {
  if (!account) return {};
  const { username, profile, email, emailVerified } = account;
  return {
    ...(scopes.includes('profile') && { username, name: profile.name }),
    ...(scopes.includes('email') && emailVerified && { email }),
  };
}
