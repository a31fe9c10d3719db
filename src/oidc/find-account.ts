import type { Configuration } from 'oidc-provider';
import { toClaims } from '../accounts/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';

/**
 * Looks up the account behind a session, code or token. One that may not use tokens is not found, so its codes,
 * refresh tokens and opaque access tokens stop working with the next request (ASVS 7.4.2).
 */
export const createFindAccount =
  (domains: OidcDomains): NonNullable<Configuration['findAccount']> =>
  async (_ctx, sub) => {
    const account = await domains.accounts.find(asAccountId(sub));
    if (!account || !domains.mayUseTokens(account)) return undefined;
    return { accountId: account.id, claims: () => toClaims(account) };
  };
