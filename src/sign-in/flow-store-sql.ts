import type { Knex } from 'knex';
import { asClientId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { Evidence } from './evidence.ts';
import type { Flow } from './flow.ts';
import type { FlowStore, FlowVersion } from './flow-store.ts';
import type { Requirement } from './next-step.ts';

interface Row {
  id: string;
  client_id: string;
  requirement: Requirement;
  login_hint: string | null;
  evidence: Evidence | null;
  wrong_codes: number;
  challenge_ends_at: Date | null;
  unseen_codes: boolean;
  created_at: Date;
  expires_at: Date;
  finished_at: Date | null;
  version: number;
}

const fromRow = (row: Row): Flow => ({
  id: row.id,
  clientId: asClientId(row.client_id),
  requirement: row.requirement,
  wrongCodes: row.wrong_codes,
  unseenCodes: row.unseen_codes,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  version: row.version,
  ...(row.login_hint !== null && { loginHint: row.login_hint }),
  ...(row.evidence && { evidence: row.evidence }),
  ...(row.challenge_ends_at && { challengeEndsAt: row.challenge_ends_at.getTime() }),
  ...(row.finished_at && { finishedAt: row.finished_at.getTime() }),
});

const toDate = (milliseconds: number | undefined): Date | null =>
  milliseconds === undefined ? null : new Date(milliseconds);

/** Sign-ins in table `sign_in_flow`. */
export function createSqlFlowStore(database: Database): FlowStore {
  const open = (id: string, now: number): Knex.QueryBuilder =>
    database.sql('sign_in_flow').where({ id }).whereNull('finished_at').where('expires_at', '>', new Date(now));
  const at = ({ id, version }: FlowVersion, now: number): Knex.QueryBuilder => open(id, now).where({ version });
  const nextVersion = (): Knex.Raw => database.sql.raw('version + 1');

  const find: FlowStore['find'] = async (id) => {
    const row = (await database.sql('sign_in_flow').where({ id }).first()) as Row | undefined;
    return row && fromRow(row);
  };

  return {
    transaction: (work) => database.transaction(work),
    find,

    async open(flow) {
      const rows = (await database
        .sql('sign_in_flow')
        .insert({
          id: flow.id,
          client_id: flow.clientId,
          requirement: JSON.stringify(flow.requirement),
          login_hint: flow.loginHint ?? null,
          evidence: flow.evidence ? JSON.stringify(flow.evidence) : null,
          challenge_ends_at: toDate(flow.challengeEndsAt),
          created_at: new Date(flow.createdAt),
          expires_at: new Date(flow.expiresAt),
        })
        .onConflict('id')
        .ignore()
        .returning('*')) as Row[];
      const stored = rows[0] ? fromRow(rows[0]) : await find(flow.id);
      if (!stored) throw new Error('A sign-in disappeared while it was opened.');
      return stored;
    },

    async advance(version, { evidence, loginHint, challengeEndsAt, unseenCodes }, now) {
      const rows = (await at(version, now)
        .update({
          evidence: JSON.stringify(evidence),
          wrong_codes: 0,
          challenge_ends_at: toDate(challengeEndsAt),
          unseen_codes: unseenCodes,
          version: nextVersion(),
          ...(loginHint !== undefined && { login_hint: loginHint }),
        })
        .returning('*')) as Row[];
      return rows[0] && fromRow(rows[0]);
    },

    async takeCodeTry(version, limit, now) {
      const rows = (await at(version, now)
        .where('wrong_codes', '<', limit)
        .update({ wrong_codes: database.sql.raw('wrong_codes + 1') })
        .returning('wrong_codes')) as { wrong_codes: number }[];
      return rows[0]?.wrong_codes;
    },

    async returnCodeTry({ id, version }) {
      await database
        .sql('sign_in_flow')
        .where({ id, version })
        .update({ wrong_codes: database.sql.raw('greatest(wrong_codes - 1, 0)') });
    },

    async restart(id, now) {
      const rows = (await open(id, now)
        .update({
          evidence: null,
          login_hint: null,
          wrong_codes: 0,
          challenge_ends_at: null,
          unseen_codes: false,
          version: nextVersion(),
        })
        .returning('*')) as Row[];
      return rows[0] && fromRow(rows[0]);
    },

    async finish(version, now) {
      const changed: number = await at(version, now).update({ finished_at: new Date(now), version: nextVersion() });
      return changed === 1;
    },

    purge: (now, limit) =>
      database
        .sql('sign_in_flow')
        .whereIn('id', database.sql('sign_in_flow').where('expires_at', '<=', new Date(now)).select('id').limit(limit))
        .delete(),
  };
}
