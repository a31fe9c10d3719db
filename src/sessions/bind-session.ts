import { sha256 } from '../shared/crypto.ts';
import type { AccountId } from '../shared/ids.ts';
import { recordEnd, revokePossessions, tellListeners } from './end-sessions.ts';
import { clearRoom, insertSession } from './open-session.ts';
import type { SessionParts } from './parts.ts';
import { type EndedSession, isLive, type SessionMeta, type StoredSession } from './session.ts';
import type { Facts } from './session-store.ts';

/** A browser whose protocol session was saved with somebody signed in. */
export interface SignedInBrowser {
  readonly uid: string;
  readonly accountId: AccountId;
  /** The sign-in that it comes from, when this request finished one. */
  readonly flow?: string | undefined;
  readonly amr: readonly string[];
  readonly acr?: string | undefined;
  /** When the person proved who they are; milliseconds since the epoch. */
  readonly authenticatedAt: number;
  /** The grants that its apps have by now. */
  readonly grants: readonly { readonly clientId: string; readonly grantId: string }[];
}

type Outcome = 'open' | 'ended';

interface Bound {
  readonly outcome: Outcome;
  /** What this browser has of it. Others that had to go are revoked; this transaction must not wait for their rows. */
  readonly ended?: EndedSession;
}

const system = { kind: 'system' } as const;

/** Takes a session out of use whose browser goes on with another sign-in: its uid must stay good for that one. */
async function replace(parts: SessionParts, session: StoredSession): Promise<void> {
  const ending = { by: system, reason: 'expired' } as const;
  const rows = await parts.store.end([session.id], { ...ending, by: system.kind, now: parts.clock.now() });
  for (const row of rows) await recordEnd(parts, row, ending);
}

/** A sign-in whose session was ended before its browser came: nothing that it was just given stays good. */
async function refuse(parts: SessionParts, browser: SignedInBrowser, session: StoredSession): Promise<Bound> {
  const { uid, grants } = browser;
  await revokePossessions(parts, { uid, grants }, { by: system, reason: 'ended' });
  return { outcome: 'ended', ended: { id: session.id, accountId: session.accountId, uid, grants, reason: 'ended' } };
}

function factsOf({ clock, policy }: SessionParts, browser: SignedInBrowser): Facts {
  const { amr, acr, authenticatedAt, grants } = browser;
  return {
    amr,
    acr,
    authenticatedAt,
    expiresAt: authenticatedAt + policy.absoluteSeconds * 1000,
    now: clock.now(),
    grants,
  };
}

/** A new sign-in in a browser that had none, as nearly all are; false when there is more to look at. */
async function bindFirst(parts: SessionParts, browser: SignedInBrowser): Promise<boolean> {
  const { flow, uid, accountId } = browser;
  return flow !== undefined && parts.store.bind({ accountId, flowHash: sha256(flow) }, uid, factsOf(parts, browser));
}

async function decide(parts: SessionParts, browser: SignedInBrowser, meta: SessionMeta): Promise<Bound> {
  if (await bindFirst(parts, browser)) return { outcome: 'open' };
  const { store, policy } = parts;
  const { uid, accountId, flow, amr, acr, authenticatedAt, grants } = browser;
  const facts = factsOf(parts, browser);
  const { now, expiresAt } = facts;
  const stay = async (id: StoredSession['id']): Promise<Bound | undefined> =>
    (await store.bind(id, uid, facts)) ? { outcome: 'open' } : undefined;

  const flowHash = flow === undefined ? undefined : sha256(flow);
  const { ofUid: mine, ofFlow: opened } = await store.lock(accountId, { uid, flowHash });
  if (mine && mine.endedAt === undefined) {
    const stayed = mine.accountId === accountId && isLive(mine, policy, now) ? await stay(mine.id) : undefined;
    if (stayed) {
      // Two tabs of one browser: what the second one opened is the same session as the first one's.
      if (opened && opened.id !== mine.id && opened.uid === undefined) {
        await store.end([opened.id], { reason: 'replaced', by: system.kind, now });
      }
      return stayed;
    }
    await replace(parts, mine);
  }
  if (opened && opened.accountId === accountId && opened.id !== mine?.id) {
    return (await stay(opened.id)) ?? refuse(parts, browser, opened);
  }
  if (mine?.endedAt !== undefined && authenticatedAt <= mine.endedAt) return refuse(parts, browser, mine);
  // Signed in before there were sessions here, or by a way that opens none.
  await clearRoom(parts, await store.listOpen(accountId), undefined, true);
  const life = Math.max(1, Math.ceil((expiresAt - now) / 1000));
  await insertSession(parts, { accountId, kind: 'browser', uid, amr, acr, grants, lifeSeconds: life }, meta);
  return { outcome: 'open' };
}

/**
 * Ties a browser to its session. `ended` when that session is over: then the browser's tokens are over as well.
 * It does not refuse: a sign-in that opened no session ends the oldest when there are too many.
 */
export async function bindSession(
  parts: SessionParts,
  browser: SignedInBrowser,
  meta: SessionMeta = {},
): Promise<Outcome> {
  const { outcome, ended } = await parts.store.transaction(() => decide(parts, browser, meta));
  if (ended) await tellListeners(parts, ended);
  return outcome;
}
