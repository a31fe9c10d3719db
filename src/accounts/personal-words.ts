import type { NewAccount } from './account.ts';

/** What somebody who knows the person would try first as their password. */
export const personalWords = ({
  email,
  username,
  profile = {},
}: Pick<NewAccount, 'email' | 'username' | 'profile'>): string[] =>
  [email, username, profile.name, profile.given_name, profile.family_name, profile.nickname].filter(
    (text): text is string => text !== undefined,
  );
