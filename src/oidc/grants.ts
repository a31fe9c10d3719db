import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { covers, type Permissions } from '../consents/index.ts';
import { asAccountId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';

/** Everything that the current authorization request asks for. */
export function requestedPermissions(ctx: KoaContextWithOIDC): Permissions {
  const { oidc } = ctx;
  const resources: Record<string, string[]> = {};
  for (const [identifier, server] of Object.entries(oidc.resourceServers ?? {})) {
    const scopes = [...oidc.requestParamScopes].filter((scope) => server.scopes.has(scope));
    resources[identifier] = scopes;
  }
  return { scopes: [...oidc.requestParamOIDCScopes], claims: [...oidc.requestParamClaims], resources };
}

/** Writes permissions into a grant; those that were there stay. */
export function applyPermissions(grant: Grant, permissions: Permissions): void {
  if (permissions.scopes.length > 0) grant.addOIDCScope(permissions.scopes.join(' '));
  if (permissions.claims.length > 0) grant.addOIDCClaims([...permissions.claims]);
  for (const [identifier, scopes] of Object.entries(permissions.resources)) {
    if (scopes.length > 0) grant.addResourceScope(identifier, scopes.join(' '));
  }
}

async function existingGrant(
  ctx: KoaContextWithOIDC,
  accountId: string,
  { revocations }: OidcDomains,
): Promise<Grant | undefined> {
  const { client, session, result, provider } = ctx.oidc;
  const grantId = result?.consent?.grantId ?? (client && session?.grantIdFor(client.clientId));
  // One that was revoked may still be stored; whoever signs in again gets another.
  const revoked = grantId !== undefined && revocations.isRevokedCached([{ kind: 'grant', id: grantId }]);
  const grant = grantId && !revoked ? await provider.Grant.find(grantId) : undefined;
  return grant && grant.accountId === accountId && grant.clientId === client?.clientId ? grant : undefined;
}

/**
 * The grant that an authorization request continues. Our own apps, and apps that the person allowed all of this before,
 * get it without being asked again; `prompt=consent` still asks (the library checks that on its own).
 */
export const createGrantLoader =
  (domains: OidcDomains): NonNullable<Configuration['loadExistingGrant']> =>
  async (ctx) => {
    const { client, session, provider } = ctx.oidc;
    if (!client || !session?.accountId) return undefined;
    const found = await existingGrant(ctx, session.accountId, domains);
    if (ctx.oidc.result?.consent) return found;

    const known = await domains.clients.find(client.clientId);
    const wanted = requestedPermissions(ctx);
    const remembered = known?.firstParty
      ? undefined
      : await domains.consents.find(asAccountId(session.accountId), known?.id ?? ('' as never));
    if (!known?.firstParty && !(remembered && covers(remembered, wanted))) return found;

    const grant = found ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    applyPermissions(grant, wanted);
    await grant.save();
    return grant;
  };
