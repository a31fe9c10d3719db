import type { Actor } from '../audit/index.ts';
import type { DeviceDescription } from '../devices/index.ts';
import type { AccountId, ClientId, SessionId } from '../shared/ids.ts';

/** A browser that is signed in, or an app that signed somebody in by the API. */
export type SessionKind = 'browser' | 'api';

/** Why a session is over. */
export type EndReason =
  | 'signed-out'
  | 'ended'
  | 'ended-others'
  | 'ended-all'
  | 'limit'
  | 'idle'
  | 'expired'
  | 'replaced'
  | 'password-changed'
  | 'factor-changed'
  | 'account-disabled'
  | 'risk';

/** From where a session is used. */
export interface SessionMeta {
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/** One sign-in. Times are milliseconds since the epoch. */
export interface Session extends DeviceDescription {
  /** Public handle: it names the session to the person and opens nothing. */
  readonly id: SessionId;
  readonly accountId: AccountId;
  readonly kind: SessionKind;
  /** SHA-256 of the device id, base64url. */
  readonly deviceHash?: string;
  /** Address of the sign-in. */
  readonly ip?: string;
  /** Address of the last activity. */
  readonly lastIp?: string;
  readonly location?: string;
  /** Factors used, RFC 8176. */
  readonly amr: readonly string[];
  readonly acr?: string;
  readonly createdAt: number;
  /** When the person last proved who they are. */
  readonly authenticatedAt: number;
  /** Right to a minute. */
  readonly lastActiveAt: number;
  /** When it ends whatever happens. */
  readonly expiresAt: number;
  /** Apps that were used in it. */
  readonly clientIds: readonly ClientId[];
}

/** A session at rest. */
export interface StoredSession extends Session {
  /** Of the protocol session in the browser; absent until the browser is there, and for `api`. */
  readonly uid?: string;
  readonly endedAt?: number;
}

/** A session as its own person sees it. */
export interface ListedSession extends Session {
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** What is over, for whoever holds tokens of it. */
export interface EndedSession {
  readonly id: SessionId;
  readonly accountId: AccountId;
  readonly uid?: string;
  /** Not before it began, whatever the clock of the node that ended it says. Milliseconds since the epoch. */
  readonly endedAt?: number;
  /** Grants that end with it; none when apps may keep their offline access. */
  readonly grants: readonly { readonly grantId: string; readonly clientId: string }[];
  readonly reason: EndReason;
}

/** Who ends a session, and from where. */
export interface Ending {
  readonly by: Actor;
  readonly reason: EndReason;
  readonly meta?: SessionMeta | undefined;
  /** Apps keep what they may do without the person (OpenID Connect Core §11): a sign-out, an expiry. */
  readonly keepGrants?: boolean;
}

/** How long sessions live and how many there may be. Lives are in seconds. */
export interface SessionPolicy {
  /** Sessions that an account may have at once; 0 for any number. */
  readonly limit: number;
  /** What the one too many does: it ends the least recently used one, or it is refused. */
  readonly onLimit: 'end-oldest' | 'refuse';
  /** Without activity for so long a browser session ends; 0 for never. */
  readonly idleSeconds: number;
  /** From the last sign-in on. */
  readonly absoluteSeconds: number;
  /** How long the browser may take from its sign-in to its session. */
  readonly pendingSeconds: number;
  /** Life of the longest-lived token of a session. */
  readonly grantSeconds: number;
}

/** Milliseconds in which the activity of a session is written once. */
export const activityInterval = 60_000;

/** The moment before which activity is too long ago; a session without idle limit is never idle. */
export const idleSince = ({ idleSeconds }: SessionPolicy, now: number): number =>
  idleSeconds === 0 ? 0 : now - idleSeconds * 1000;

/** Whether it may be used: not ended, not too old, not idle for too long. */
export const isLive = (session: StoredSession, policy: SessionPolicy, now: number): boolean =>
  session.endedAt === undefined &&
  session.expiresAt > now &&
  (session.kind === 'api' || session.lastActiveAt > idleSince(policy, now));

/**
 * Which sessions have to go so that one more fits, the first to go first: those of the same browser, because a newer
 * sign-in took their cookie, then those that were used longest ago.
 */
export function makeRoom(open: readonly Session[], limit: number, deviceHash: string | undefined): Session[] {
  if (limit === 0 || open.length < limit) return [];
  const replaced = ({ deviceHash: other }: Session): number => (other !== undefined && other === deviceHash ? 0 : 1);
  const order = [...open].sort(
    (one, other) =>
      replaced(one) - replaced(other) || one.lastActiveAt - other.lastActiveAt || one.createdAt - other.createdAt,
  );
  return order.slice(0, open.length - limit + 1);
}
