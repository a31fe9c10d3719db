import { sha256 } from '../shared/crypto.ts';
import { statement } from '../storage/statement.ts';
import { kindOf, mayBe } from './artifact-kind.ts';
import { grantHashOf, secondsToKeep } from './artifact-payload.ts';
import type { SqlArtifactParts } from './artifact-rows-sql.ts';
import type { NewToken, Redemptions } from './artifact-store.ts';

const refreshToken = kindOf('RefreshToken');
const grantKind = kindOf('Grant');

interface FoundRow {
  readonly payload: string;
  readonly grant_hash: string;
  readonly grant_payload: string;
}

const find = statement(`
  select token.payload, token.grant_hash, issued.payload as grant_payload
  from artifact token join artifact issued on issued.kind = 'Grant' and issued.id_hash = token.grant_hash
  where token.kind = 'RefreshToken' and token.id_hash = $1 and token.consumed_at is null
    and token.payload is not null and token.expires_at > $2 and issued.payload is not null and issued.expires_at > $2`);

// The token that is used is the gate: whoever finds it used, or gone, or its grant ended, stores nothing.
const redeem = statement(`
  with used as (
    update artifact set consumed_at = $2, contended = false, successor_hash = $3
    where kind = 'RefreshToken' and id_hash = $1 and consumed_at is null and payload is not null and expires_at > $2
      and exists (select 1 from artifact where kind = 'Grant' and id_hash = $4 and payload is not null)
    returning 1
  )
  insert into artifact (kind, id_hash, payload, grant_hash, client_id, account_id, expires_at)
  select kind, id_hash, payload, $4, $5, $6, expires_at
  from json_to_recordset($7) as token (kind text, id_hash text, payload text, expires_at timestamptz)
  where exists (select 1 from used)
  returning 1`);

// Who saw the token unused and did not get it came at the same time as who did.
const contend = statement(`
  update artifact set contended = true where kind = 'RefreshToken' and id_hash = $1 and consumed_at is not null`);

/** Redemptions in SQL: one statement each, so that neither needs a transaction of its own. */
export const createSqlRedemptions = ({ database, codec, clock }: SqlArtifactParts): Redemptions => {
  const rowOf = ({ model, id, payload, expiresIn }: NewToken) => {
    const kind = kindOf(model);
    const idHash = sha256(id);
    return {
      kind: model,
      id_hash: idHash,
      payload: codec.pack(kind, idHash, payload),
      expires_at: new Date(clock.now() + secondsToKeep(kind, expiresIn) * 1000),
    };
  };

  return {
    async find(id) {
      if (!mayBe(refreshToken, id)) return undefined;
      const idHash = sha256(id);
      const [row] = await database.query<FoundRow>(find, [idHash, new Date(clock.now())]);
      const token = row && codec.unpack(refreshToken, idHash, row.payload, { id });
      const grantId = token?.grantId;
      if (!token || grantId === undefined) return undefined;
      return { token, grant: async () => codec.unpack(grantKind, row.grant_hash, row.grant_payload, { id: grantId }) };
    },

    async redeem(id, tokens) {
      const [{ payload }] = tokens;
      const { clientId = null, accountId = null } = payload;
      const stored = await database.query(redeem, [
        sha256(id),
        new Date(clock.now()),
        sha256(tokens[0].id),
        grantHashOf(refreshToken, payload) ?? null,
        clientId,
        accountId,
        JSON.stringify(tokens.map(rowOf)),
      ]);
      if (stored.length === 0) await database.query(contend, [sha256(id)]);
      return stored.length > 0;
    },
  };
};
