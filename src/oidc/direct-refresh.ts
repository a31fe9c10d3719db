import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { refusalOf } from '../locations/index.ts';
import type { SessionMeta } from '../sessions/index.ts';
import type { OidcDomains } from './domains.ts';

type Needs = Pick<OidcDomains, 'clients' | 'sessions' | 'places'>;

/** What a refresh token says of where it belongs. */
interface Belonging {
  readonly clientId?: string | undefined;
  readonly sid?: string | undefined;
}

/** `over`: the session is not there any more, or was ended for where it is used from. */
type Standing = 'live' | 'over' | 'elsewhere';

/** Whether a refresh may go on from an address. It asks nothing for tokens that are not of a direct sign-in. */
export type DirectRefreshGuard = (token: Belonging, meta: SessionMeta) => Promise<Standing>;

/**
 * Looks at the refreshes of apps that sign people in by themselves, as pages look at browsers: the session is used, from
 * here. Only where the request comes from the person's own device; an app on a server has that server's address.
 */
export const createDirectRefreshGuard =
  ({ clients, sessions, places }: Needs): DirectRefreshGuard =>
  async ({ clientId, sid }, meta) => {
    // Sessions of direct sign-ins are named in `sid` by their handle.
    if (clientId === undefined || !sid?.startsWith('ses_')) return 'live';
    const client = await clients.find(clientId);
    if (client?.kind !== 'native' && client?.kind !== 'spa') return 'live';
    if (meta.ip !== undefined && refusalOf(places.addressRules, meta.ip)) return 'elsewhere';
    return (await sessions.touchApp(sid, meta)) === 'over' ? 'over' : 'live';
  };

/**
 * The refusals of such a refresh. Whoever is in the wrong place keeps the token for when they are back.
 * @throws errors.InvalidGrant, errors.CustomOIDCProviderError
 */
export async function assertMayRefresh(guard: DirectRefreshGuard, ctx: KoaContextWithOIDC, meta: SessionMeta) {
  const { RefreshToken: token } = ctx.oidc.entities;
  const standing = token ? await guard(token, meta) : 'live';
  if (standing === 'over') throw new errors.InvalidGrant('the session of the refresh token is over');
  if (standing === 'live') return;
  const text = 'Signing in is not possible from this network or place.';
  const refusal = new errors.CustomOIDCProviderError('access_denied', text);
  throw Object.assign(refusal, { status: 403, statusCode: 403 });
}
