import type { Configuration } from 'oidc-provider';

/** Which claims each scope opens (OpenID Connect Core §5.4). `acr`, `amr` and `auth_time` are in every ID token. */
export const claimsByScope: NonNullable<Configuration['claims']> = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'sid'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/** The scope that opens a claim; undefined for those that say nothing about the person. */
export function scopeOfClaim(claim: string): string | undefined {
  const found = Object.entries(claimsByScope).find(([, names]) => (names as readonly string[]).includes(claim))?.[0];
  return found === 'openid' ? undefined : found;
}

/** The scopes that are not an API's. */
export const identityScopes = ['openid', 'offline_access', 'profile', 'email', 'address', 'phone'] as const;
