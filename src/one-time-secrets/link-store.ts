import type { AccountId } from '../shared/ids.ts';
import type { Link, LinkPurpose } from './link.ts';

export interface StoredLink extends Link {
  /** SHA-256 of the token, base64url. */
  readonly tokenHash: string;
  /** Older links of the same purpose and account end with this one. */
  readonly replaces: boolean;
  /** All of them but those that went to the same address. */
  readonly keepsAddress: boolean;
}

/** Where links are kept. */
export interface LinkStore {
  /** Adds a link. Of many at once that replace each other exactly one is left. */
  put(link: StoredLink): Promise<void>;
  /** The link while it lives. */
  find(purpose: LinkPurpose, tokenHash: string, now: number): Promise<Link | undefined>;
  /** Takes a living link away; of many callers at once exactly one gets it. */
  take(purpose: LinkPurpose, tokenHash: string, now: number): Promise<Link | undefined>;
  /** Says whether it was there. */
  remove(id: string): Promise<boolean>;
  /** Says how many went. */
  removeOf(accountId: AccountId, purposes: readonly LinkPurpose[] | undefined): Promise<number>;
  /** Deletes up to `limit` links that are over, and says how many. */
  purge(now: number, limit: number): Promise<number>;
}
