import type { AccountId } from '../shared/ids.ts';

/** An enrolment that waits for its first code. */
export interface PendingTotp {
  readonly accountId: AccountId;
  /** Whose enrolment it is, for example one sign-in; nobody else reads or confirms it. */
  readonly binding: string;
  readonly sealed: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The secrets of enrolled authenticators as they are sealed, for those who seal them anew. */
export interface SealedTotps {
  /** Up to `limit` that another secret than this one sealed, in the order of their accounts, after this account. */
  stale(secretId: string, after: string, limit: number): Promise<readonly { accountId: string; sealed: string }[]>;
  /** False when it is not `from` any more. */
  replace(accountId: string, from: string, to: string): Promise<boolean>;
}

/** Where TOTP secrets are kept, sealed. */
export interface TotpStore {
  find(accountId: AccountId): Promise<string | undefined>;
  /**
   * Marks a time step as used and stores `resealed`, if `sealed` is still the secret and no step as late was used
   * before. Of any number of callers at once exactly one hears true.
   */
  useStep(accountId: AccountId, sealed: string, step: number, resealed: string): Promise<boolean>;
  /** Adds the enrolment unless a live one is there, and resolves to the one that is there then. */
  openPending(pending: PendingTotp, now: number): Promise<string>;
  findPending(accountId: AccountId, binding: string, now: number): Promise<string | undefined>;
  /**
   * Ends the enrolment if it is the live one, and puts `sealed` in the place of the active secret with `step` already
   * used. With `onlyFirst` an active secret stays. Says whether it was put there.
   */
  activate(
    pending: Omit<PendingTotp, 'expiresAt'>,
    active: { readonly sealed: string; readonly step: number; readonly at: number; readonly onlyFirst: boolean },
  ): Promise<boolean>;
  remove(accountId: AccountId): Promise<boolean>;
  /** Drops enrolments that expired, and says how many. */
  purgePending(now: number): Promise<number>;
}
