import { endQuietly } from './end-sessions.ts';
import type { SessionParts } from './parts.ts';
import { activityInterval, idleSince, type SessionMeta } from './session.ts';
import type { TouchedSession, UseKey } from './session-store.ts';

/** How a session stands. `unknown`: nobody wrote it down, so it says nothing. */
export type Standing = 'live' | 'over' | 'unknown';

/** Addresses that are remembered at most, and those of one session. */
const remembered = 10_000;
const mostOfOne = 100;

/**
 * Takes a session to another address, or ends it where the installation says so. A session that goes on has no step at
 * which it could show another factor, so it ends where one is asked for; its address stays that of its person, by which
 * the sign-in that follows is judged. Of many requests at the same moment one writes down what was found.
 */
async function mayMove(
  parts: SessionParts,
  { id, accountId, before }: TouchedSession,
  meta: SessionMeta & { readonly ip: string },
): Promise<boolean> {
  const { activity, store, risk, clock } = parts;
  const { ip } = meta;
  const verdict = risk?.judgeActivity({ before, ip });
  const ends = verdict?.action === 'end' || verdict?.action === 'second-factor';
  await store.transaction(async () => {
    // Quietly: the request at hand goes on, as that of a browser or app that has to sign in.
    const isFirst = ends
      ? (await endQuietly(parts, [id], { by: { kind: 'system' }, reason: 'risk', meta })).length > 0
      : await activity.move(id, { now: clock.now(), ip });
    if (isFirst && verdict) await risk?.noteActivity({ accountId, sessionId: id, verdict, meta });
  });
  return !ends;
}

/** Whether a session may be used from where it is used now. One whose address nobody knew takes the first that comes. */
const maySettle = async (parts: SessionParts, found: TouchedSession, { ip, ...meta }: SessionMeta): Promise<boolean> =>
  ip === undefined || (found.before.ip ?? ip) === ip || mayMove(parts, found, { ...meta, ip });

interface Check {
  readonly until: number;
  readonly authTime: number;
}

/** What was looked at lately, by session and address; what was looked at longest ago is forgotten first. */
class Checks {
  readonly #sessions = new Map<string, Map<string, Check>>();
  #size = 0;

  find(session: string, ip: string): Check | undefined {
    return this.#sessions.get(session)?.get(ip);
  }

  forget(session: string): void {
    this.#size -= this.#sessions.get(session)?.size ?? 0;
    this.#sessions.delete(session);
  }

  add(session: string, ip: string, check: Check, now: number): void {
    const fresh = [...(this.#sessions.get(session) ?? [])].filter(([known, { until }]) => known !== ip && until > now);
    this.forget(session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#size + mostOfOne <= remembered) break;
      this.forget(oldest);
    }
    const kept = new Map([...fresh.slice(1 - mostOfOne), [ip, check] as const]);
    this.#sessions.set(session, kept);
    this.#size += kept.size;
  }
}

/**
 * Remembers for a minute which sessions were looked at from where, so that a busy browser costs one statement a minute,
 * and a cookie that turns up at another address is looked at at once.
 */
export function createToucher(parts: SessionParts) {
  const checks = new Checks();

  return {
    /** By the key that it was touched by. */
    forget(key: string): void {
      checks.forget(key);
    },

    async touch(use: UseKey, authTime: number, meta: SessionMeta): Promise<Standing> {
      const { activity, clock, policy } = parts;
      const key = 'uid' in use ? use.uid : use.id;
      const { ip } = meta;
      const now = clock.now();
      const known = checks.find(key, ip ?? '');
      if (known && known.until > now && known.authTime === authTime) return 'live';
      const found = await activity.touch(use, { now, idleSince: idleSince(policy, now), ip });
      if (!found) return 'unknown';
      if (found.endedAt !== undefined) return authTime <= found.endedAt ? 'over' : 'unknown';
      if (!found.fresh || !(await maySettle(parts, found, meta))) {
        checks.forget(key);
        return 'over';
      }
      checks.add(key, ip ?? '', { until: now + activityInterval, authTime }, now);
      return 'live';
    },
  };
}
