import type { Database } from '../storage/database.ts';
import type { KeyState } from './key.ts';
import type { KeyStore, StoredKey } from './key-store.ts';

interface Row {
  kid: string;
  alg: string;
  state: KeyState;
  private_jwk: string | null;
  created_at: Date;
  published_at: Date | null;
  signing_at: Date | null;
  retiring_at: Date | null;
  removed_at: Date | null;
}

const fromRow = (row: Row): StoredKey => ({
  kid: row.kid,
  alg: row.alg,
  state: row.state,
  createdAt: row.created_at.getTime(),
  ...(row.private_jwk !== null && { sealed: row.private_jwk }),
  ...(row.published_at && { publishedAt: row.published_at.getTime() }),
  ...(row.signing_at && { signingAt: row.signing_at.getTime() }),
  ...(row.retiring_at && { retiringAt: row.retiring_at.getTime() }),
  ...(row.removed_at && { removedAt: row.removed_at.getTime() }),
});

const date = (moment: number | undefined): Date | null => (moment === undefined ? null : new Date(moment));

/** Keys in table `signing_key`; its partial unique indexes hold the two places that each algorithm has. */
export const createSqlKeyStore = (database: Database): KeyStore => ({
  async list({ removed } = { removed: false }) {
    const query = database.sql<Row>('signing_key').orderBy(['created_at', 'kid']);
    if (!removed) query.whereNot({ state: 'removed' });
    return (await query).map(fromRow);
  },

  async insert(key) {
    const row = {
      kid: key.kid,
      alg: key.alg,
      state: key.state,
      private_jwk: key.sealed ?? null,
      created_at: date(key.createdAt),
      published_at: date(key.publishedAt),
      signing_at: date(key.signingAt),
    };
    // Without a conflict target this covers both indexes and the primary key.
    const inserted = await database.sql('signing_key').insert(row).onConflict().ignore().returning('kid');
    return inserted.length === 1;
  },

  async move({ kid, from, to, at }) {
    const change = { state: to, [`${to}_at`]: date(at), ...(to === 'removed' && { private_jwk: null }) };
    return (await database.sql('signing_key').where({ kid, state: from }).update(change)) === 1;
  },

  async reseal(kid, from, to) {
    return (await database.sql('signing_key').where({ kid, private_jwk: from }).update({ private_jwk: to })) === 1;
  },

  together: (work) => database.transaction(work),
});
