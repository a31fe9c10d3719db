import { currentAuditContext, noteAuditSession, withAuditContext } from '../audit/index.ts';
import { describeDevice, hashDevice } from '../devices/index.ts';
import { locationText } from '../locations/index.ts';
import { sha256 } from '../shared/crypto.ts';
import { type AccountId, newSessionId, type SessionId } from '../shared/ids.ts';
import { endQuietly, tellListeners } from './end-sessions.ts';
import type { SessionParts } from './parts.ts';
import {
  type EndedSession,
  isLive,
  makeRoom,
  type SessionKind,
  type SessionMeta,
  type StoredSession,
} from './session.ts';

/** A sign-in that wants to become a session. */
export interface SessionRequest {
  readonly accountId: AccountId;
  readonly kind: SessionKind;
  /**
   * The id of the sign-in that was finished. The same one opens one session, however often it is asked, and the browser
   * is tied to that session by it later.
   */
  readonly flow?: string | undefined;
  /** The protocol session that the browser has now: signing in again in it makes no other one. */
  readonly uid?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly amr: readonly string[];
  readonly acr?: string | undefined;
  /** For `api`: what it may use, and how many seconds the longest token of it lives. */
  readonly grants?: readonly { readonly clientId: string; readonly grantId: string }[];
  readonly lifeSeconds?: number;
  readonly location?: string | undefined;
  /**
   * When the account had been taken back last before anything was shown, as `endOf` of the revocations says it. Left out
   * where the caller has asked that already in this transaction, while it held the account's access.
   */
  readonly asOf?: number | undefined;
}

/**
 * `refused`: the account has as many sessions as it may have, and none of them makes room. `ended`: it was taken back since
 * {@link SessionRequest.asOf}.
 */
export type OpenResult =
  | { readonly outcome: 'ended' }
  | { readonly outcome: 'opened'; readonly id: SessionId }
  | { readonly outcome: 'refused'; readonly limit: number };

interface Opened {
  readonly result: OpenResult;
  readonly ended: readonly EndedSession[];
}

/** Makes the row. The caller holds the account's lock. */
export async function insertSession(
  { store, activity, clock, policy, risk }: SessionParts,
  { accountId, kind, flow, uid, deviceId, amr, acr, grants = [], lifeSeconds, location }: SessionRequest,
  meta: SessionMeta,
): Promise<SessionId> {
  const now = clock.now();
  const id = newSessionId();
  const where = risk?.locate(meta.ip);
  const place = location ?? (where && locationText(where));
  const seconds = kind === 'api' ? (lifeSeconds ?? policy.grantSeconds) : policy.pendingSeconds;
  await store.insert({
    id,
    accountId,
    kind,
    amr,
    ...describeDevice(meta.userAgent),
    flowHash: flow === undefined ? undefined : sha256(flow),
    createdAt: now,
    authenticatedAt: now,
    lastActiveAt: now,
    expiresAt: now + (lifeSeconds ?? seconds) * 1000,
    ...(uid !== undefined && { uid }),
    ...(deviceId !== undefined && { deviceHash: hashDevice(deviceId) }),
    ...(meta.ip !== undefined && { ip: meta.ip, lastIp: meta.ip }),
    ...(acr !== undefined && { acr }),
    ...(place !== undefined && { location: place }),
  });
  await activity.addGrants({ id }, grants, now);
  return id;
}

/** Ends as many of the open ones as one more needs. Undefined when the policy does not want that; a `forced` one always fits. */
export async function clearRoom(
  parts: SessionParts,
  all: readonly StoredSession[],
  deviceHash: string | undefined,
  forced: boolean,
): Promise<EndedSession[] | undefined> {
  const { policy, clock } = parts;
  const now = clock.now();
  const open = all.filter((session) => isLive(session, policy, now));
  const leaving = makeRoom(open, policy.limit, deviceHash);
  // A browser that signs in again has taken its own earlier session out of use: that one may always go.
  const stays = leaving.find((session) => deviceHash === undefined || session.deviceHash !== deviceHash);
  if (stays && policy.onLimit === 'refuse' && !forced) return undefined;
  const ids = leaving.map(({ id }) => id);
  return endQuietly(parts, ids, { by: { kind: 'system' }, reason: 'limit' });
}

async function decide(parts: SessionParts, request: SessionRequest, meta: SessionMeta): Promise<Opened> {
  const { store, clock, policy, audit, revocations } = parts;
  const { accountId, flow, uid, deviceId, asOf } = request;
  const flowHash = flow === undefined ? undefined : sha256(flow);
  const { ofFlow: before, ofUid: mine, open } = await store.lock(accountId, { flowHash, uid, open: true });
  if (asOf !== undefined && (await revocations.endOf(accountId)) !== asOf) {
    return { result: { outcome: 'ended' }, ended: [] };
  }
  if (before) return { result: { outcome: 'opened', id: before.id }, ended: [] };
  if (mine?.accountId === accountId && isLive(mine, policy, clock.now())) {
    return { result: { outcome: 'opened', id: mine.id }, ended: [] };
  }
  const ended = await clearRoom(parts, open, deviceId === undefined ? undefined : hashDevice(deviceId), false);
  if (!ended) {
    await audit.record({
      ...meta,
      type: 'session.refused',
      actor: { kind: 'account', id: accountId },
      outcome: 'failure',
      subject: accountId,
      details: { limit: policy.limit },
    });
    return { result: { outcome: 'refused', limit: policy.limit }, ended: [] };
  }
  // The uid is not taken over: that session of the browser may be another account's, or one that has ended.
  const id = await insertSession(parts, { ...request, uid: undefined }, meta);
  return { result: { outcome: 'opened', id }, ended };
}

/**
 * Opens a session, or says that there are too many. Of 50 at once for one account no more than the limit stay open.
 * `also` is done in the same transaction, unless it was refused. What is recorded in it and afterwards in this request is
 * done in this session.
 */
export async function openSession(
  parts: SessionParts,
  request: SessionRequest,
  meta: SessionMeta = {},
  also: () => Promise<unknown> = async () => undefined,
): Promise<OpenResult> {
  const { result, ended } = await parts.store.transaction(async () => {
    const decided = await decide(parts, request, meta);
    if (decided.result.outcome === 'opened') {
      await withAuditContext({ ...currentAuditContext(), sessionId: decided.result.id }, also);
    }
    return decided;
  });
  // Not before: of one that is rolled back nobody may hear.
  if (result.outcome === 'opened') noteAuditSession(result.id);
  for (const row of ended) await tellListeners(parts, row);
  return result;
}
