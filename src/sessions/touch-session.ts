import { endQuietly } from './end-sessions.ts';
import type { SessionParts } from './parts.ts';
import { activityInterval, idleSince, type SessionMeta } from './session.ts';
import type { TouchedSession } from './session-store.ts';

/** How a browser's session stands. `unknown`: nobody wrote it down, so it says nothing. */
export type Standing = 'live' | 'over' | 'unknown';

const remembered = 10_000;

/**
 * Looks at a session that comes from somewhere else, and ends it where the installation says so. A session that goes on
 * has no step at which it could show another factor, so it ends where one is asked for.
 */
async function isSuspect(parts: SessionParts, { id, accountId, before }: TouchedSession, meta: SessionMeta) {
  if (!parts.risk || meta.ip === undefined || meta.ip === before.ip) return false;
  const { action } = await parts.risk.assessActivity({ accountId, sessionId: id, before, meta });
  if (action !== 'end' && action !== 'second-factor') return false;
  // Quietly: the request at hand goes on with this protocol session, as a browser that has to sign in.
  await endQuietly(parts, [id], { by: { kind: 'system' }, reason: 'risk', meta });
  return true;
}

/** Remembers for a minute which sessions were looked at, so that a busy browser costs one statement a minute. */
export function createToucher(parts: SessionParts) {
  const checked = new Map<string, { readonly until: number; readonly authTime: number }>();

  return {
    forget(uid: string): void {
      checked.delete(uid);
    },

    async touch(uid: string, authTime: number, meta: SessionMeta): Promise<Standing> {
      const { activity, clock, policy } = parts;
      const now = clock.now();
      const known = checked.get(uid);
      if (known && known.until > now && known.authTime === authTime) return 'live';
      checked.delete(uid);
      const found = await activity.touch(uid, { now, idleSince: idleSince(policy, now), ip: meta.ip });
      if (!found) return 'unknown';
      if (found.endedAt !== undefined) return authTime <= found.endedAt ? 'over' : 'unknown';
      if (!found.fresh || (await isSuspect(parts, found, meta))) return 'over';
      const [oldest] = checked.keys();
      if (checked.size >= remembered && oldest !== undefined) checked.delete(oldest);
      checked.set(uid, { until: now + activityInterval, authTime });
      return 'live';
    },
  };
}
