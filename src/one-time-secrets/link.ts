import type { AccountId } from '../shared/ids.ts';

/** What a link is for. A token of one purpose is worth nothing for another. */
export type LinkPurpose = 'verify-email' | 'change-email' | 'reset-password' | 'recovery' | 'invitation' | 'sign-in';

/** Small facts that travel with a link, on the server only; never a secret. */
export type LinkData = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What a token stands for. Times are milliseconds since the epoch. */
export interface Link {
  /** Names the link without opening anything: for lists, audit rows and {@link Links.revoke}. */
  readonly id: string;
  readonly purpose: LinkPurpose;
  readonly accountId?: AccountId;
  /** The address that it was mailed to. */
  readonly email: string;
  readonly data: LinkData;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface NewLink {
  readonly purpose: LinkPurpose;
  readonly accountId?: AccountId | undefined;
  readonly email: string;
  readonly data?: LinkData | undefined;
  readonly lifeSeconds: number;
  /**
   * Leave older links of the same purpose and account as they are; `same-address` leaves those that went to this address
   * and ends the others. Without an account they always stay.
   */
  readonly keepOlder?: boolean | 'same-address' | undefined;
}

/** A link that was just made: the only moment at which its token is known here. */
export interface MadeLink {
  readonly id: string;
  /** 256 random bits as 43 characters of base64url. */
  readonly token: string;
  readonly expiresAt: number;
}
