import { type Account, parseEmail } from '../accounts/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { type SignInPolicy, toMilliseconds } from './flow.ts';

const freeTries = 2;
const maxTries = 100;

/**
 * How long the next try must wait after the first, second, … failure in a row, in milliseconds: nothing twice, then 1 s,
 * 2 s, 4 s …, and the lock at last. Never more than 100 tries, whatever is configured (NIST SP 800-63B-4 §3.2.2).
 */
export function delaysOf({ lockoutTries, lockoutSeconds }: SignInPolicy): number[] {
  const lock = toMilliseconds(lockoutSeconds);
  const tries = Math.max(1, Math.min(Math.trunc(lockoutTries) || 1, maxTries));
  return Array.from({ length: tries }, (_, index) => {
    if (index === tries - 1) return lock;
    return index < freeTries ? 0 : Math.min(1000 * 2 ** (index - freeTries), lock);
  });
}

/**
 * What failures are counted under: the account, by whichever of its names; else the name that nobody has, by the same
 * rules, so that counting does not tell which names exist. Names are kept hashed: people type passwords there.
 */
export const throttleKey = (account: Pick<Account, 'id'> | undefined, login: string): string =>
  account?.id ?? `login:${sha256(parseEmail(login)?.key ?? login.trim().normalize('NFKC').toLowerCase())}`;
