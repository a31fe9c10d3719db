import type { Provider } from 'oidc-provider';
import { accessId } from '../revocation/index.ts';
import type { OidcDomains } from './domains.ts';

interface FoundGrant {
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
  /** When it was given for the first time, seconds since the epoch. */
  readonly iat?: number | undefined;
}

/** Whether the person took this grant back from the app. */
export function isTakenBack(revocations: OidcDomains['revocations'], grant: FoundGrant): boolean {
  if (grant.accountId === undefined || grant.clientId === undefined) return false;
  const id = accessId(grant.accountId, grant.clientId);
  return revocations.isRevokedCached([{ kind: 'access', id, issuedAt: (grant.iat ?? 0) * 1000 }]);
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
    return grant && isTakenBack(revocations, grant) ? undefined : grant;
  };
}
