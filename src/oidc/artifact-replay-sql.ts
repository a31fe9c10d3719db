import { sha256 } from '../shared/crypto.ts';
import { secondsToKeep } from './artifact-payload.ts';
import { rowsOf, type SqlArtifactParts } from './artifact-rows-sql.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { AlreadyUsed } from './replays.ts';

// One statement that either is the first to name this assertion or fails; an expired one may come again.
const insertText = `
  insert into artifact (kind, id_hash, payload, expires_at) values ('ReplayDetection', :idHash, :payload, :expiresAt)
  on conflict (kind, id_hash) do update set payload = excluded.payload, expires_at = excluded.expires_at
  where artifact.expires_at <= :now
  returning 1`;

/** Remembers the `jti` of client assertions and DPoP proofs: the second of two equal ones fails, however close. */
export const createReplayStore = (store: ArtifactStore, { database, clock }: SqlArtifactParts): ArtifactStore => ({
  ...store,
  async upsert(id, { jti: _jti, ...payload }, expiresIn) {
    const now = clock.now();
    await database.join();
    const inserted = await rowsOf(database, insertText, {
      idHash: sha256(id),
      payload: JSON.stringify(payload),
      expiresAt: new Date(now + secondsToKeep({}, expiresIn) * 1000),
      now: new Date(now),
    });
    if (inserted.length === 0) throw new AlreadyUsed();
  },
});
