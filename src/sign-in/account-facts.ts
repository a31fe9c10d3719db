import type { AccountId } from '../shared/ids.ts';

/** What decides about the end of a sign-in beside the factors. */
export interface AccountFacts {
  readonly passkeys: number;
  /** Somebody else chose the password, or it is known to others. */
  readonly mustChangePassword: boolean;
  /** When the account was last offered a passkey; milliseconds since the epoch. */
  readonly passkeyOfferedAt?: number;
}

/**
 * Reads those facts in one statement that goes together with others, because every sign-in needs them. The rest of the
 * offers is this domain's own.
 */
export interface AccountFactsStore {
  /** For no account it looks in vain, at the same cost. */
  find(accountId: AccountId | undefined): Promise<AccountFacts>;
  noteOffer(accountId: AccountId, now: number): Promise<void>;
}

const dayMilliseconds = 86_400_000;

/** Whether the account may be asked again if it wants a passkey. */
export const mayBeOffered = (
  { passkeys, passkeyOfferedAt }: AccountFacts,
  everyDays: number | undefined,
  now: number,
): boolean =>
  passkeys === 0 &&
  everyDays !== undefined &&
  everyDays > 0 &&
  (passkeyOfferedAt === undefined || now - passkeyOfferedAt >= everyDays * dayMilliseconds);
