import { errors } from 'oidc-provider';
import { sha256 } from '../shared/crypto.ts';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import { type Kind, type KindName, mayBe } from './artifact-kind.ts';
import {
  noteMisuse,
  passesAsRetry,
  type RotatedRefreshToken,
  retrySecondsFor,
  rotationOf,
  type SecondUseAccess,
} from './artifact-refresh.ts';
import { claim, endGrant, findRow, rowsOf, type SqlArtifactParts, type TokenRow } from './artifact-rows-sql.ts';
import type { ArtifactStore } from './artifact-store.ts';

// Re-checks in one statement all that let `find` take this for a retry, and kills the successor that went unheard.
const renewText = `
  with locked as (
    select id_hash, successor_hash, consumed_at, contended from artifact
    where kind = 'RefreshToken' and id_hash in (:idHash, :successorHash) and payload is not null and expires_at > :now
    order by kind, id_hash for update
  ), allowed as (
    select 1 from locked used join locked successor on successor.id_hash = used.successor_hash
    where used.id_hash = :idHash and used.successor_hash = :successorHash and not used.contended
      and used.consumed_at >= :earliest and successor.consumed_at is null
  )
  update artifact set
    consumed_at = case when id_hash = :successorHash then :now else consumed_at end,
    renewed_at = case when id_hash = :idHash then :now else renewed_at end
  where kind = 'RefreshToken' and id_hash in (:idHash, :successorHash) and exists (select 1 from allowed)
  returning 1`;

const rotated = (row: TokenRow, consumedAt: Date): RotatedRefreshToken => ({
  idHash: row.id_hash,
  successorHash: row.successor_hash ?? undefined,
  consumedAt: consumedAt.getTime(),
  renewedAt: row.renewed_at?.getTime(),
  contended: row.contended,
});

/** Refresh tokens: each works once, except for the client whose answer got lost. */
export function createRefreshStore(
  kind: Kind & { name: KindName },
  store: ArtifactStore,
  parts: SqlArtifactParts,
): ArtifactStore {
  const { database, codec, clock, policy, request } = parts;

  const access: SecondUseAccess = {
    async reload(idHash) {
      const row = await findRow(parts, kind.name, { idHash });
      return row?.consumed_at ? rotated(row, row.consumed_at) : undefined;
    },
    async isUnused(idHash) {
      const successor = await findRow(parts, kind.name, { idHash });
      return successor !== undefined && successor.consumed_at === null;
    },
    async markContended(idHash) {
      await database.join();
      await rowsOf(database, `update artifact set contended = true where kind = 'RefreshToken' and id_hash = :idHash`, {
        idHash,
      });
    },
  };

  const passes = async (row: TokenRow, consumedAt: Date, unit: UnitOfWork): Promise<boolean> => {
    const retrySeconds = await retrySecondsFor(policy, row.client_id ?? undefined);
    return passesAsRetry(rotated(row, consumedAt), { unit, now: clock.now(), retrySeconds }, access);
  };

  /** Runs last in the transaction: what it writes down is when the redemption was over. */
  const settleWith = (unit: UnitOfWork, idHash: string, isRetry: boolean) => async (): Promise<void> => {
    await rowsOf(
      database,
      `update artifact set successor_hash = :successorHash, ${isRetry ? 'renewed_at' : 'consumed_at'} = :now
       where kind = 'RefreshToken' and id_hash = :idHash`,
      { idHash, successorHash: rotationOf(unit).successorHash ?? null, now: new Date(clock.now()) },
    );
  };

  const began = (idHash: string, isRetry: boolean): void => {
    const unit = currentUnitOfWork();
    if (!unit) return;
    rotationOf(unit).predecessorHash = idHash;
    unit.beforeCommit.push(settleWith(unit, idHash, isRetry));
  };

  const renew = async (idHash: string, successorHash: string): Promise<void> => {
    const earliest = new Date(clock.now() - policy.refreshRetrySeconds * 1000);
    const renewed = await rowsOf(database, renewText, { idHash, successorHash, earliest, now: new Date(clock.now()) });
    if (renewed.length > 0) return began(idHash, true);
    await access.markContended(idHash);
    throw new errors.InvalidGrant('refresh token was already used');
  };

  return {
    ...store,

    async find(id) {
      if (!mayBe(kind, id)) return undefined;
      const row = await findRow(parts, kind.name, { idHash: sha256(id) });
      if (!row) return undefined;
      const unit = currentUnitOfWork();
      const isSecondUse = row.consumed_at !== null && unit !== undefined && request.isRedeeming();
      const passed = isSecondUse && (await passes(row, row.consumed_at, unit));
      const consumedAt = passed ? undefined : row.consumed_at?.getTime();
      return codec.unpack(kind, row.id_hash, row.payload, { id, consumedAt });
    },

    async consume(id) {
      const idHash = sha256(id);
      await database.join();
      const unit = currentUnitOfWork();
      const retry = unit && rotationOf(unit).retry;
      if (retry?.idHash === idHash) return renew(idHash, retry.successorHash);
      const claimed = await claim(parts, kind.name, idHash);
      if (claimed && !claimed.contended) return began(idHash, false);
      if (claimed) {
        const clientId = claimed.client_id ?? undefined;
        const revoked = (await retrySecondsFor(policy, clientId)) === 0 && claimed.grant_hash !== null;
        if (revoked) await endGrant(database, claimed.grant_hash ?? '');
        noteMisuse({ kind: kind.name, clientId, revoked });
      }
      throw new errors.InvalidGrant('refresh token was already used');
    },
  };
}
