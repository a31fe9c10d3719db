import type { Clock } from '../shared/clock.ts';
import { asSessionId, type SessionId } from '../shared/ids.ts';
import { activityInterval, type EndedSession, type StoredSession } from './session.ts';
import type { ActivityStore, GrantKey, SessionStore } from './session-store.ts';

/** A session by its browser, or by what an app holds of it. */
export type HandleKey = { readonly uid: string } | GrantKey;

const remembered = 10_000;

const textOf = (key: HandleKey): string => ('uid' in key ? `uid ${key.uid}` : `grant ${key.accountId} ${key.grantId}`);

/** Which session goes by which handle, as of the last minute on this node. */
export interface SessionHandles {
  /** The handle of an open session. A statement only when nobody was looked up or touched by this key lately. */
  find(key: HandleKey): Promise<SessionId | undefined>;
  /** The same store, of which is remembered what it found. */
  watch(activity: ActivityStore): ActivityStore;
  forget(ended: Pick<EndedSession, 'accountId' | 'uid' | 'grants'>): void;
}

const isOpen = (session: StoredSession | undefined, now: number): session is StoredSession =>
  session !== undefined && session.endedAt === undefined && session.expiresAt > now;

/** Makes the memory. It costs the requests that touch a session nothing. */
export function createSessionHandles(store: Pick<SessionStore, 'find'>, clock: Clock): SessionHandles {
  const known = new Map<string, { readonly id: SessionId; readonly until: number }>();
  const remember = (key: HandleKey, id: SessionId): void => {
    const text = textOf(key);
    known.delete(text);
    const [oldest] = known.keys();
    if (known.size >= remembered && oldest !== undefined) known.delete(oldest);
    known.set(text, { id, until: clock.now() + activityInterval });
  };

  return {
    async find(key) {
      const now = clock.now();
      const lately = known.get(textOf(key));
      if (lately && lately.until > now) return lately.id;
      const session = await store.find(key);
      if (!isOpen(session, now)) return undefined;
      remember(key, session.id);
      return session.id;
    },

    watch: (activity) => ({
      ...activity,
      async touch(key, at) {
        const found = await activity.touch(key, at);
        if (found && found.endedAt === undefined && 'uid' in key) remember(key, asSessionId(found.id));
        return found;
      },
    }),

    forget({ accountId, uid, grants }) {
      if (uid !== undefined) known.delete(textOf({ uid }));
      for (const { grantId } of grants) known.delete(textOf({ accountId, grantId }));
    },
  };
}
