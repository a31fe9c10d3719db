import type { Provider } from 'oidc-provider';
import { accessId } from '../revocation/index.ts';
import type { OidcDomains } from './domains.ts';

interface FoundGrant {
  readonly accountId?: string;
  readonly clientId?: string;
  /** When it was given for the first time, seconds since the epoch. */
  readonly iat?: number;
}

/**
 * Lets no grant be found that its person took back from the app. Everything that a grant stands for looks it up here:
 * codes, refresh tokens, userinfo, introspection, and the next authorization request, which then asks for consent.
 */
export function hideEndedGrants(provider: Provider, { revocations }: Pick<OidcDomains, 'revocations'>): void {
  const model = provider.Grant as unknown as { find(...given: unknown[]): Promise<FoundGrant | undefined> };
  const find = model.find;
  model.find = async function findLive(...given) {
    const grant = await find.apply(this, given);
    if (grant?.accountId === undefined || grant.clientId === undefined) return grant;
    const check = {
      kind: 'access',
      id: accessId(grant.accountId, grant.clientId),
      issuedAt: (grant.iat ?? 0) * 1000,
    } as const;
    return revocations.isRevokedCached([check]) ? undefined : grant;
  };
}
