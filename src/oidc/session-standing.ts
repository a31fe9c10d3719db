import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { asClientId } from '../shared/ids.ts';
import type { OidcDomains } from './domains.ts';
import { accessEnded } from './find-account.ts';
import type { SessionRegistry } from './session-registry.ts';

/** A sign-in of a browser, as its protocol session has it. */
interface SignedIn {
  readonly uid: string;
  readonly accountId: string;
  /** Seconds since the epoch. */
  readonly loginTs?: number | undefined;
}

/** Whether the session was used for nothing for longer than this app lets it. Looking is no use of it. */
export async function isTooQuiet(
  { clients, sessions }: Pick<OidcDomains, 'clients' | 'sessions'>,
  uid: string,
  clientId: string,
  { state }: Pick<Context, 'state'> | KoaContextWithOIDC,
): Promise<boolean> {
  const idle = (await clients.find(asClientId(clientId)))?.sessionIdleSeconds;
  if (!idle) return false;
  const found = await sessions.findByUid(uid);
  const now = typeof state?.startedAt === 'number' ? state.startedAt : Date.now();
  return found !== undefined && now - found.lastActiveAt > idle * 1000;
}

/** What a sign-in of a browser is worth on our pages. */
export interface SessionStanding {
  /** Whether it still says to this app who is there. It is a use of the session when it does. */
  proves(session: SignedIn, clientId: string, ctx: Context): Promise<boolean>;
  /** Whether it was ended by somebody. A look at this is no use. */
  wasEnded(session: SignedIn): boolean;
}

/**
 * Makes the one answer to that. That a session is stored says nothing: those that were ended with their account, for a
 * risk or by their age are, until they expire.
 */
export function createSessionStanding(
  domains: OidcDomains,
  registry: Pick<SessionRegistry, 'isOver'>,
): SessionStanding {
  const wasEnded = ({ uid, accountId, loginTs = 0 }: SignedIn): boolean =>
    accessEnded(domains, accountId, loginTs) ||
    domains.revocations.isRevokedCached([{ kind: 'session', id: uid, issuedAt: loginTs * 1000 }]);
  return {
    wasEnded,
    async proves(session, clientId, ctx) {
      if (wasEnded(session) || (await isTooQuiet(domains, session.uid, clientId, ctx))) return false;
      return !(await registry.isOver(session, ctx));
    },
  };
}
