import type { Account } from '../../accounts/index.ts';
import type { ConsoleShell } from '../console-models.ts';

/** How a person is called on our own pages. */
export const nameOf = ({ profile, username, email }: Account): string => profile.name ?? username ?? email;

/** The one or two letters of an avatar. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._@-]+/).filter((word) => /^\p{L}|^\p{N}/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase();
}

/** The person of a console's top bar. */
export const personOf = (account: Account): NonNullable<ConsoleShell['who']> => {
  const name = nameOf(account);
  return { name, initials: initialsOf(name) };
};
