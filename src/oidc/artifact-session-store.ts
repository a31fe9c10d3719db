import type { Clock } from '../shared/clock.ts';
import { sha256 } from '../shared/crypto.ts';
import { kindOf } from './artifact-kind.ts';
import { type PayloadCodec, secondsToKeep } from './artifact-payload.ts';
import type { RequestFacts } from './artifact-request.ts';
import { aliasSeconds, bindingOf, createSessionMemory, isSameSignIn, mergeSession } from './artifact-session.ts';
import type { ArtifactPayload, ArtifactStore } from './artifact-store.ts';

/** A session as a backend keeps it, under the hash of its uid. */
export interface SessionRecord {
  readonly uidHash: string;
  /** Null once it was ended. */
  readonly payload: string | null;
  /** Counts writes from 1. */
  readonly version: number;
  /** Whether it was found by an id that the session has left. */
  readonly alias: boolean;
}

/** One save. Times are milliseconds since the epoch. */
export interface SessionWrite {
  readonly uidHash: string;
  readonly payload: string;
  readonly binding: string;
  readonly accountId: string | undefined;
  /** What it was merged with; 0 when there was nothing. It is not written onto anything else. */
  readonly version: number;
  /** The cookie id that shall open it, unless somebody else's sign-in won. */
  readonly idHash: string | undefined;
  /** The cookie id that it leaves. */
  readonly leavingHash: string | undefined;
  readonly now: number;
  readonly expiresAt: number;
  readonly aliasUntil: number;
}

/** Where sessions lie: one record by uid, and a pointer to it for each cookie id. */
export interface SessionBackend {
  /** Only while the pointer's binding is the session's. */
  findById(idHash: string, now: number): Promise<SessionRecord | undefined>;
  /** Also one that was ended, until it would have expired. */
  findByUid(uidHash: string, now: number): Promise<SessionRecord | undefined>;
  /** The new version, or undefined when the session is no longer at `version`. */
  save(write: SessionWrite): Promise<number | undefined>;
  /** Ends the session of a cookie id, if the id is one of its account's. */
  end(idHash: string): Promise<void>;
}

interface Present {
  readonly version: number;
  readonly stored: ArtifactPayload | undefined;
}

/** Sessions: a save merges what others saved since, and what was ended stays ended. */
export function createSessionStore(
  backend: SessionBackend,
  { codec, clock, request }: { codec: PayloadCodec; clock: Clock; request: RequestFacts },
): ArtifactStore {
  const kind = kindOf('Session');
  const memory = createSessionMemory(request);

  const read = (record: SessionRecord | undefined, id?: string): ArtifactPayload | undefined => {
    if (!record || record.payload === null) return undefined;
    const stored = codec.unpack(kind, record.uidHash, record.payload, {});
    if (!stored) return undefined;
    // An alias hands out the session's present id, so that the browser moves on to it.
    const given = id === undefined || record.alias ? stored : { ...stored, jti: id };
    memory.remember(record.uidHash, record.version, stored, given);
    return given;
  };

  /** What the store holds now, to merge with. A payload that no secret opens any more is not worth keeping. */
  const reload = async (uidHash: string): Promise<Present | 'ended' | undefined> => {
    const record = await backend.findByUid(uidHash, clock.now());
    if (record?.payload === null) return 'ended';
    return record && { version: record.version, stored: codec.unpack(kind, uidHash, record.payload, {}) };
  };

  const write = (id: string, mine: ArtifactPayload, merged: ArtifactPayload, expiresIn?: number) => {
    const uidHash = sha256(mine.uid ?? id);
    const leaving = request.leavingSessionId();
    const now = clock.now();
    return {
      uidHash,
      payload: codec.pack(kind, uidHash, merged),
      binding: bindingOf(merged),
      accountId: merged.accountId,
      idHash: isSameSignIn(merged, mine) ? sha256(id) : undefined,
      leavingHash: leaving === undefined ? undefined : sha256(leaving),
      now,
      expiresAt: now + secondsToKeep(kind, expiresIn) * 1000,
      aliasUntil: now + aliasSeconds * 1000,
    };
  };

  return {
    find: async (id) => read(await backend.findById(sha256(id), clock.now()), id),
    findByUid: async (uid) => read(await backend.findByUid(sha256(uid), clock.now())),
    findByUserCode: async () => undefined,

    async upsert(id, mine, expiresIn) {
      const uidHash = sha256(mine.uid ?? id);
      const known = memory.recall(uidHash);
      let present: Present | 'ended' | undefined = known;
      // Each turn that fails is one that somebody else's save won, so it ends.
      for (;;) {
        const merged = present?.stored ? mergeSession(present.stored, mine, known) : mine;
        if (!merged) return;
        const version = await backend.save({ ...write(id, mine, merged, expiresIn), version: present?.version ?? 0 });
        if (version !== undefined) return memory.remember(uidHash, version, merged, mine);
        present = await reload(uidHash);
        if (present === 'ended') return;
      }
    },

    consume: async () => undefined,

    async destroy(id) {
      // Rotation of the id: the save that follows replaces it. Ending it here would sign other tabs out meanwhile.
      if (request.leavingSessionId() !== id) await backend.end(sha256(id));
    },

    revokeByGrantId: async () => undefined,
  };
}
