import type { Actor, AuditLog } from '../audit/index.ts';
import type { Revocations } from '../revocation/index.ts';
import type { Risk } from '../risk/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId, SessionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { bindSession, type SignedInBrowser } from './bind-session.ts';
import { endAccountSessions, endDue, endOne, endSessions, endSignedInBefore, noteEnded } from './end-sessions.ts';
import { type OpenResult, openSession, type SessionRequest } from './open-session.ts';
import type { EndListener, SessionParts } from './parts.ts';
import {
  type EndReason,
  idleSince,
  isLive,
  type ListedSession,
  type Session,
  type SessionMeta,
  type SessionPolicy,
} from './session.ts';
import { createSessionHandles, type HandleKey } from './session-handles.ts';
import type { ActivityStore, GrantKey, SessionKey, SessionStore } from './session-store.ts';
import { createToucher, type Standing } from './touch-session.ts';

/**
 * Who is signed in where. A sign-in opens a session, its browser is bound to it, use touches it, and somebody or time
 * ends it. Ending takes the browser's sign-in, its grants and every token of them along, on all nodes, exactly once.
 * Call what ends sessions outside a transaction; only {@link Sessions.endRevoked} joins one.
 */
export interface Sessions {
  /**
   * When a sign-in is finished and before the browser goes back to the app. `refused` by the limit only. `also` is done
   * in the same transaction, when it was not refused.
   */
  open(request: SessionRequest, meta?: SessionMeta, also?: () => Promise<unknown>): Promise<OpenResult>;
  /** When the protocol has saved the browser's session. `ended` says that it was ended meanwhile. */
  bind(browser: SignedInBrowser, meta?: SessionMeta): Promise<'open' | 'ended'>;
  /** Notes a grant of a session. False when that session is not open. */
  addGrant(uid: string, grant: { readonly clientId: string; readonly grantId: string }): Promise<boolean>;
  /**
   * Whether the browser's session may still be used, noting that it was. `authTime` (milliseconds) is that of the
   * protocol session. One statement a minute for each session and address; not for token requests.
   */
  touch(uid: string, authTime: number, meta?: SessionMeta): Promise<Standing>;
  /** The same for a session that an app opened by itself, by its handle; for requests that come from its person's device. */
  touchApp(id: string, meta?: SessionMeta): Promise<Standing>;
  /** Those that may be used, newest first. `currentUid` is the protocol session of the browser that asks. */
  list(accountId: AccountId, currentUid?: string): Promise<ListedSession[]>;
  /** The open session of a browser. */
  findByUid(uid: string): Promise<Session | undefined>;
  /** The open session in which an app got this grant. */
  findByGrant(grant: GrantKey): Promise<Session | undefined>;
  /** False when it was ended by somebody or by time, as the database has it now. */
  isOpen(id: string): Promise<boolean>;
  /** The handle of an open session, for the audit log: a look into memory after {@link Sessions.touch}, else one statement. */
  handleOf(key: HandleKey): Promise<SessionId | undefined>;
  /** Ends one, with `owner` only if it is theirs. False when there is no such session or it has ended before. */
  end(id: string, by: Actor, reason?: EndReason, options?: { owner?: AccountId; meta?: SessionMeta }): Promise<boolean>;
  /** Ends the browser's session because its person signed out; apps keep offline access (OpenID Connect Core §11). */
  signOut(uid: string, by: Actor, meta?: SessionMeta): Promise<boolean>;
  /** Ends all but the one with this handle, and says how many. */
  endOthers(accountId: AccountId, keep: string | undefined, by: Actor, meta?: SessionMeta): Promise<number>;
  /** Ends all, and whatever else the account was issued before now, by any way. Says how many sessions. */
  endAll(accountId: AccountId, by: Actor, reason?: EndReason, meta?: SessionMeta): Promise<number>;
  /** The same where the account itself was revoked already. `keep` goes on, once its browser is signed in anew. */
  endRevoked(accountId: AccountId, by: Actor, reason: EndReason, keep?: string): Promise<number>;
  /** Ends every session of everybody that was signed in to at or before that moment (milliseconds). Says how many. */
  endSignedInBefore(moment: number, by: Actor): Promise<number>;
  /** Tells a listener what has ended, after it was written down; it may be told of what nobody has any more. */
  onEnd(listener: EndListener): () => void;
  /** Ends what is too old or idle, deletes what ended 30 days ago, and says how many rows. */
  purge(): Promise<number>;
}

interface Needs {
  readonly store: SessionStore;
  readonly activity: ActivityStore;
  readonly revocations: Pick<Revocations, 'revoke' | 'endOf'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly risk?: Pick<Risk, 'judgeActivity' | 'noteActivity' | 'locate'> | undefined;
  readonly clock: Clock;
  readonly policy: SessionPolicy;
  readonly logger: Logger;
}

/** Milliseconds that an ended session is kept: no protocol session of it may come back meanwhile. */
const endedMemory = 30 * 86_400_000;
const batch = 1000;

async function purge(parts: SessionParts): Promise<number> {
  const { store, clock, policy } = parts;
  let total = await endDue(parts, idleSince(policy, clock.now()));
  const before = clock.now() - Math.max(endedMemory, policy.absoluteSeconds * 1000);
  for (let removed = batch; removed === batch; total += removed) removed = await store.purge(before, batch);
  return total;
}

/** Makes the sessions domain. */
export function createSessions(needs: Needs): Sessions {
  const handles = createSessionHandles(needs.store, needs.clock);
  const parts: SessionParts = { ...needs, activity: handles.watch(needs.activity), listeners: new Set() };
  const { store, activity, revocations, clock, policy } = parts;
  const findLive = async (key: SessionKey): Promise<Session | undefined> => {
    const found = await store.find(key);
    if (!found || !isLive(found, policy, clock.now())) return undefined;
    const { uid: _private, ...session } = found;
    return session;
  };
  const toucher = createToucher(parts);
  // A node that ends a session knows at once; the others hear of it from the revocations.
  parts.listeners.add(async (ended) => {
    toucher.forget(ended.uid ?? ended.id);
    handles.forget(ended);
  });

  return {
    open: (request, meta, also) => openSession(parts, request, meta, also),
    bind: (browser, meta) => bindSession(parts, browser, meta),
    addGrant: (uid, grant) => activity.addGrants({ uid }, [grant], clock.now()),
    touch: (uid, authTime, meta = {}) => toucher.touch({ uid }, authTime, meta),
    // Its tokens fall with its grant, so there is no sign-in of another time that the handle could stand for.
    touchApp: (id, meta = {}) => toucher.touch({ id }, 0, meta),

    async list(accountId, currentUid) {
      const open = await store.listOpen(accountId);
      return open
        .filter((session) => isLive(session, policy, clock.now()))
        .map(({ uid, ...session }) => ({ ...session, current: uid !== undefined && uid === currentUid }));
    },

    findByUid: (uid) => findLive({ uid }),
    findByGrant: ({ accountId, clientId, grantId }) => findLive({ accountId, clientId, grantId }),

    isOpen: async (id) => (await store.find({ id }))?.endedAt === undefined,

    handleOf: (key) => handles.find(key),

    end: (id, by, reason = 'ended', { owner, meta } = {}) => endOne(parts, id, { by, reason, meta }, owner),

    async signOut(uid, by, meta) {
      const session = await store.find({ uid });
      if (!session) return false;
      return (await endSessions(parts, [session.id], { by, reason: 'signed-out', meta, keepGrants: true })) > 0;
    },

    endOthers: (accountId, keep, by, meta) =>
      endAccountSessions(parts, accountId, { by, reason: 'ended-others', meta }, { keep }),

    endAll(accountId, by, reason = 'ended-all', meta) {
      const expiresAt = clock.now() + policy.grantSeconds * 1000;
      const entry = { kind: 'account', id: accountId, expiresAt, reason: `session ${reason}`, by } as const;
      return endAccountSessions(parts, accountId, { by, reason, meta }, { first: () => revocations.revoke(entry) });
    },

    endRevoked: (accountId, by, reason, keep) => noteEnded(parts, accountId, { by, reason }, keep),

    endSignedInBefore: (moment, by) => endSignedInBefore(parts, moment, { by, reason: 'ended-all' }),

    onEnd(listener) {
      parts.listeners.add(listener);
      return () => parts.listeners.delete(listener);
    },

    purge: () => purge(parts),
  };
}
