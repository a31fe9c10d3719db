import type { AccountId } from '../shared/ids.ts';

/**
 * `unverified` has not shown that the address is theirs; `suspended` was stopped by an operator; `locked` waits for
 * the person to recover the account; `deleted` can be restored by an operator until it is purged, and keeps its names
 * until then. Only `active` may sign in. Who may move what to what is in account-status.ts.
 */
export type AccountStatus = 'active' | 'unverified' | 'suspended' | 'locked' | 'deleted';

/** The standard claims of scope `profile` (OpenID Connect Core §5.1), by their own names. */
export interface Profile {
  readonly name?: string | undefined;
  readonly given_name?: string | undefined;
  readonly family_name?: string | undefined;
  readonly middle_name?: string | undefined;
  readonly nickname?: string | undefined;
  readonly preferred_username?: string | undefined;
  readonly profile?: string | undefined;
  readonly picture?: string | undefined;
  readonly website?: string | undefined;
  readonly gender?: string | undefined;
  /** `YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`. */
  readonly birthdate?: string | undefined;
  readonly zoneinfo?: string | undefined;
  readonly locale?: string | undefined;
}

/** The `address` claim (OpenID Connect Core §5.1.1). */
export interface Address {
  readonly formatted?: string | undefined;
  readonly street_address?: string | undefined;
  readonly locality?: string | undefined;
  readonly region?: string | undefined;
  readonly postal_code?: string | undefined;
  readonly country?: string | undefined;
}

/** Someone who may sign in. How they prove it belongs to the credentials domain. */
export interface Account {
  readonly id: AccountId;
  readonly username?: string;
  /** As it was given. Mail goes here and never to what a request contains. */
  readonly email: string;
  readonly emailVerified: boolean;
  readonly status: AccountStatus;
  readonly roles: readonly string[];
  readonly profile: Profile;
  readonly address?: Address;
  /** E.164, for example +4930123456. */
  readonly phoneNumber?: string;
  readonly phoneNumberVerified: boolean;
  /** Milliseconds since the epoch, as `updatedAt`. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Since when it is deleted. */
  readonly deletedAt?: number;
  /** Counts the changes; `update` takes it so that two editors cannot overwrite each other. */
  readonly version: number;
}

/** What `create` takes. Everything but the email may be left out. */
export interface NewAccount {
  readonly email: string;
  readonly username?: string | undefined;
  readonly emailVerified?: boolean | undefined;
  /** Default `active`. */
  readonly status?: 'active' | 'unverified' | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly profile?: Profile | undefined;
  readonly address?: Address | undefined;
  readonly phoneNumber?: string | undefined;
  readonly phoneNumberVerified?: boolean | undefined;
}

/** What `update` takes: a named field is replaced as a whole, `null` removes one that may be absent. */
export interface AccountPatch {
  readonly email?: string | undefined;
  readonly username?: string | null | undefined;
  readonly emailVerified?: boolean | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly profile?: Profile | undefined;
  readonly address?: Address | null | undefined;
  readonly phoneNumber?: string | null | undefined;
  readonly phoneNumberVerified?: boolean | undefined;
}
