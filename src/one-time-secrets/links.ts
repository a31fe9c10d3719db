import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { type AccountId, randomSecret, randomText } from '../shared/ids.ts';
import type { Link, LinkPurpose, MadeLink, NewLink } from './link.ts';
import type { LinkStore } from './link-store.ts';

/**
 * Tokens that are mailed in a link and work once. Only their SHA-256 is stored: at 256 random bits nobody finds one by
 * trying. The page behind a link looks with `peek` and acts with `use` at a POST, so that mail scanners use up nothing.
 */
export interface Links {
  /**
   * Makes a token. Older links of the same purpose and account end, unless `keepOlder` says otherwise.
   * @throws RangeError when `lifeSeconds` is not a positive number.
   */
  create(link: NewLink): Promise<MadeLink>;
  /** What a token stands for; it stays usable. Undefined when it is unknown, used, replaced, over, or of another purpose. */
  peek(purpose: LinkPurpose, token: string): Promise<Link | undefined>;
  /**
   * Uses a token up; of many callers at once exactly one gets the link. It joins the open transaction: when that is
   * rolled back, the token is usable again.
   */
  use(purpose: LinkPurpose, token: string): Promise<Link | undefined>;
  /** Ends one link by its id; false when it was over already. */
  revoke(id: string): Promise<boolean>;
  /** Ends the links of an account, of some purposes or all, and says how many there were. */
  revokeAll(accountId: AccountId, purposes?: readonly LinkPurpose[]): Promise<number>;
}

const tokenForm = /^[\w-]{43}$/;

/** Makes the links of the domain. */
export const createLinks = ({ store, clock }: { readonly store: LinkStore; readonly clock: Clock }): Links => ({
  async create({ purpose, accountId, email, data = {}, lifeSeconds, keepOlder = false }) {
    if (!(lifeSeconds > 0)) throw new RangeError('A link lives for a positive number of seconds.');
    const [id, token, createdAt] = [`lnk_${randomText(16)}`, randomSecret(), clock.now()];
    const expiresAt = createdAt + lifeSeconds * 1000;
    await store.put({
      id,
      tokenHash: sha256(token),
      purpose,
      email,
      data,
      createdAt,
      expiresAt,
      replaces: keepOlder !== true && accountId !== undefined,
      keepsAddress: keepOlder === 'same-address',
      ...(accountId !== undefined && { accountId }),
    });
    return { id, token, expiresAt };
  },

  peek: async (purpose, token) => (tokenForm.test(token) ? store.find(purpose, sha256(token), clock.now()) : undefined),
  use: async (purpose, token) => (tokenForm.test(token) ? store.take(purpose, sha256(token), clock.now()) : undefined),
  revoke: (id) => store.remove(id),
  revokeAll: (accountId, purposes) => store.removeOf(accountId, purposes),
});
