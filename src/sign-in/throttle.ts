import { type Account, parseEmail } from '../accounts/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { type Flow, type SignInPolicy, toMilliseconds } from './flow.ts';
import type { Reservation, Tried } from './throttle-store.ts';

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

/** What a name is counted under: in one form, and hashed, because people type passwords there. */
const nameKey = (login: string): string =>
  `login:${sha256(parseEmail(login)?.key ?? login.trim().normalize('NFKC').toLowerCase())}`;

/** What a try at this name is counted under. A name that nobody has is counted twice like others. */
export function triedBy(account: Pick<Account, 'id'> | undefined, login: string): Tried {
  const name = nameKey(login);
  return { account: account?.id ?? `${name}:nobody`, name };
}

/** What the names of an account are counted under. */
export const nameKeysOf = ({ email, username }: Pick<Account, 'email' | 'username'>): readonly string[] =>
  [email, username ?? []].flat().map(nameKey);

/** What a try at a later door is counted under: the name that was typed at the first one hears of its pauses too. */
export function triedIn(account: Account, { loginHint }: Pick<Flow, 'loginHint'>): Tried {
  const name = loginHint === undefined ? undefined : nameKey(loginHint);
  // An app may have hinted at somebody else.
  return { account: account.id, ...(name !== undefined && nameKeysOf(account).includes(name) && { name }) };
}

/** When whoever typed the name may try again; other names of the account are nobody's business. Milliseconds. */
export const toldOf = ({ name, retryAt }: Reservation): number => name?.retryAt ?? retryAt;
