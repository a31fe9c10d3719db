import type { Configuration } from 'oidc-provider';
import { toClaims } from '../accounts/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';

/**
 * Whether everything that this account had at that moment (seconds) was ended since: a new password, a disabled account.
 */
export const accessEnded = ({ revocations }: OidcDomains, accountId: string, since: number): boolean =>
  revocations.isRevokedCached([{ kind: 'account', id: accountId, issuedAt: since * 1000 }]);

interface FoundToken {
  readonly kind?: string | undefined;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
  /** Seconds since the epoch. */
  readonly iat?: number | undefined;
  /** When the person was there for it, where it says so. Seconds. */
  readonly authTime?: number | undefined;
}

/**
 * As of when a token stands for its account (seconds). What is refreshed while an end of access is on its way from another
 * node may be dated after it, but nobody was there for it since; and a device's code is older than whoever confirms it.
 */
export const standsSince = ({ kind, iat = 0, authTime = iat }: Omit<FoundToken, 'clientId' | 'grantId'>): number =>
  kind === 'DeviceCode' ? authTime : Math.min(iat, authTime);

/** Whether a code or token ended with its grant, or with all that its app had been issued by then. */
function isTokenEnded({ revocations }: OidcDomains, { clientId, grantId, iat = 0 }: FoundToken): boolean {
  return revocations.isRevokedCached([
    ...(grantId === undefined ? [] : [{ kind: 'grant', id: grantId } as const]),
    ...(clientId === undefined ? [] : [{ kind: 'client', id: clientId, issuedAt: iat * 1000 } as const]),
  ]);
}

/**
 * Looks up the account behind a session, code or token. One that may not use tokens is not found, so its codes,
 * refresh tokens and opaque access tokens stop working with the next request (ASVS 7.4.2).
 */
export const createFindAccount =
  (domains: OidcDomains): NonNullable<Configuration['findAccount']> =>
  async (_ctx, sub, token) => {
    const account = await domains.accounts.find(asAccountId(sub));
    if (!account || !domains.mayUseTokens(account)) return undefined;
    if (token?.iat !== undefined && accessEnded(domains, account.id, standsSince(token))) return undefined;
    if (token !== undefined && isTokenEnded(domains, token)) return undefined;
    return { accountId: account.id, claims: () => toClaims(account) };
  };
