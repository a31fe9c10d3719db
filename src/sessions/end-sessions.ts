import type { Actor } from '../audit/index.ts';
import { reasonOf } from '../shared/errors.ts';
import type { AccountId } from '../shared/ids.ts';
import { afterCommit } from '../storage/unit-of-work.ts';
import type { SessionParts } from './parts.ts';
import type { EndedSession, Ending } from './session.ts';

const nameOf = (actor: Actor): string => ('id' in actor ? `${actor.kind}:${actor.id}` : actor.kind);

/** What a session had, to be made worthless: the sign-in of its browser, and the grants of its apps. */
type Possessions = Pick<EndedSession, 'uid' | 'grants' | 'endedAt'>;

/** Writes down that these are over, so that every node and every restart knows, whatever a cache still has. */
export async function revokePossessions(
  { revocations, clock, policy }: SessionParts,
  { uid, grants, endedAt }: Possessions,
  { by, reason }: Pick<Ending, 'by' | 'reason'>,
): Promise<void> {
  const entry = { expiresAt: clock.now() + policy.grantSeconds * 1000, reason: `session ${reason}`, by };
  if (uid !== undefined) await revocations.revoke({ ...entry, kind: 'session', id: uid, before: endedAt });
  for (const id of new Set(grants.map(({ grantId }) => grantId))) {
    await revocations.revoke({ ...entry, kind: 'grant', id });
  }
}

/**
 * Tells those who keep the tokens, when the end is committed: they wait for locks that its transaction holds, and of one
 * that is rolled back nobody may hear. Their failure changes nothing: what is revoked is refused, stored or not.
 */
export const tellListeners = ({ listeners, logger }: SessionParts, ended: EndedSession): Promise<void> =>
  afterCommit(async () => {
    for (const listener of listeners) {
      await listener(ended).catch((error: unknown) =>
        logger.warn({ session: ended.id, reason: reasonOf(error) }, 'tokens of an ended session could not be removed'),
      );
    }
  });

export const recordEnd = ({ audit }: SessionParts, ended: EndedSession, { by, reason, meta }: Ending): Promise<void> =>
  audit.record({
    ...meta,
    type: 'session.ended',
    actor: by,
    outcome: 'success',
    subject: ended.accountId,
    sessionId: ended.id,
    details: { session: ended.id, reason, apps: [...new Set(ended.grants.map(({ clientId }) => clientId))] },
  });

/**
 * Ends those of these sessions that nobody has ended yet, in one transaction: the rows, what they had, the audit events.
 * Returns what it ended, to be handed to {@link tellListeners} afterwards.
 */
export const endQuietly = (parts: SessionParts, ids: readonly string[], ending: Ending): Promise<EndedSession[]> =>
  parts.store.transaction(async () => {
    const how = { reason: ending.reason, by: nameOf(ending.by), now: parts.clock.now() };
    const rows = await parts.store.end(ids, how);
    const ended = ending.keepGrants ? rows.map((row) => ({ ...row, grants: [] })) : rows;
    for (const row of ended) {
      await revokePossessions(parts, row, ending);
      await recordEnd(parts, row, ending);
    }
    return ended;
  });

/** Ends sessions and throws their tokens away; not inside a transaction, which would hold locks that requests wait for. Says how many this call ended. */
export async function endSessions(parts: SessionParts, ids: readonly string[], ending: Ending): Promise<number> {
  const ended = await endQuietly(parts, ids, ending);
  for (const row of ended) await tellListeners(parts, row);
  return ended.length;
}

/** Ends one by its handle; with an owner only if it is theirs. False when there is nothing to end. */
export async function endOne(parts: SessionParts, id: string, ending: Ending, owner?: AccountId): Promise<boolean> {
  const session = await parts.store.find({ id });
  if (!session || (owner !== undefined && session.accountId !== owner)) return false;
  return (await endSessions(parts, [id], ending)) > 0;
}

/** Whom an end of an account's sessions leaves out, and what is written with it. */
interface AccountEnding {
  readonly keep?: string | undefined;
  readonly first?: (() => Promise<void>) | undefined;
}

/** Ends all of an account but `keep`, with `first` in the same transaction. */
const endAllQuietly = (
  parts: SessionParts,
  accountId: AccountId,
  ending: Ending,
  { keep, first }: AccountEnding,
): Promise<EndedSession[]> =>
  parts.store.transaction(async () => {
    // The lock comes first, as for all who take an account back: what they write besides, they write in this order too.
    const ids = await openIds(parts, accountId);
    await first?.();
    return endQuietly(
      parts,
      ids.filter((id) => id !== keep),
      ending,
    );
  });

/** The same, and throws their tokens away. Sign-ins that finish at the same moment wait, and are ended too or not at all. */
export async function endAccountSessions(
  parts: SessionParts,
  accountId: AccountId,
  ending: Ending,
  options: AccountEnding = {},
): Promise<number> {
  const ended = await endAllQuietly(parts, accountId, ending, options);
  for (const row of ended) await tellListeners(parts, row);
  return ended.length;
}

/**
 * Ends all of an account but `keep` where the account was revoked, in the same transaction. By name too: another node may
 * date what it makes at this moment later than the end of the account.
 */
export const noteEnded = async (
  parts: SessionParts,
  accountId: AccountId,
  ending: Ending,
  keep?: string,
): Promise<number> => (await endAllQuietly(parts, accountId, ending, { keep })).length;

async function openIds({ store }: SessionParts, accountId: AccountId): Promise<string[]> {
  return (await store.lock(accountId, { open: true })).open.map(({ id }) => id);
}

const batch = 200;

/** Ends every session that was signed in to at or before that moment, in batches, and says how many. */
export async function endSignedInBefore(parts: SessionParts, moment: number, ending: Ending): Promise<number> {
  let total = 0;
  for (;;) {
    const ids = await parts.activity.listSignedInBefore(moment, batch);
    const ended = await endSessions(parts, ids, ending);
    total += ended;
    if (ids.length < batch || ended === 0) return total;
  }
}

/** Ends what is too old or idle for too long. Apps with offline access keep it, as at a sign-out. */
export async function endDue(parts: SessionParts, idleSince: number): Promise<number> {
  let total = 0;
  for (;;) {
    const due = await parts.activity.listDue(parts.clock.now(), idleSince, batch);
    for (const reason of ['idle', 'expired'] as const) {
      const ids = due.filter(({ idle }) => idle === (reason === 'idle')).map(({ id }) => id);
      total += await endSessions(parts, ids, { by: { kind: 'system' }, reason, keepGrants: true });
    }
    if (due.length < batch) return total;
  }
}
