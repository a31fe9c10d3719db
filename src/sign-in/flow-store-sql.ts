import type { Knex } from 'knex';
import { asClientId } from '../shared/ids.ts';
import { type Database, isUniqueViolation } from '../storage/database.ts';
import { type SqlValue, statement } from '../storage/statement.ts';
import type { Evidence } from './evidence.ts';
import { type Flow, unstored } from './flow.ts';
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

const findById = statement('select * from sign_in_flow where id = $1');

const insert = `insert into sign_in_flow
  (id, client_id, requirement, login_hint, evidence, challenge_ends_at, unseen_codes, created_at, expires_at, finished_at,
   version)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const add = statement(insert);
const addUnlessThere = statement(`${insert} on conflict (id) do nothing returning *`);

const advanceTo = statement(`update sign_in_flow
  set evidence = $4, wrong_codes = 0, challenge_ends_at = $5, unseen_codes = $6, login_hint = coalesce($7, login_hint),
    version = version + 1
  where id = $1 and version = $2 and finished_at is null and expires_at > $3
  returning *`);

const finishAt = statement(`update sign_in_flow set finished_at = $3, version = version + 1
  where id = $1 and version = $2 and finished_at is null and expires_at > $3
  returning id`);

const valuesOf = (flow: Flow): SqlValue[] => [
  flow.id,
  flow.clientId,
  JSON.stringify(flow.requirement),
  flow.loginHint ?? null,
  flow.evidence ? JSON.stringify(flow.evidence) : null,
  toDate(flow.challengeEndsAt),
  flow.unseenCodes,
  new Date(flow.createdAt),
  new Date(flow.expiresAt),
  toDate(flow.finishedAt),
  flow.version,
];

const toDate = (milliseconds: number | undefined): Date | null =>
  milliseconds === undefined ? null : new Date(milliseconds);

/** Sign-ins in table `sign_in_flow`. */
export function createSqlFlowStore(database: Database): FlowStore {
  const open = (id: string, now: number): Knex.QueryBuilder =>
    database.sql('sign_in_flow').where({ id }).whereNull('finished_at').where('expires_at', '>', new Date(now));
  const at = ({ id, version }: FlowVersion, now: number): Knex.QueryBuilder => open(id, now).where({ version });
  const nextVersion = (): Knex.Raw => database.sql.raw('version + 1');

  const find: FlowStore['find'] = async (id) => {
    const [row] = await database.query<Row>(findById, [id]);
    return row && fromRow(row);
  };

  return {
    transaction: (work) => database.transaction(work),
    together: (work) => database.together(work),
    find,

    async open(flow) {
      const [row] = await database.query<Row>(addUnlessThere, valuesOf({ ...flow, version: unstored + 1 }));
      const stored = row ? fromRow(row) : await find(flow.id);
      if (!stored) throw new Error('A sign-in disappeared while it was opened.');
      return stored;
    },

    async add(flow) {
      try {
        await database.query(add, valuesOf(flow));
        return true;
      } catch (error) {
        if (isUniqueViolation(error, 'sign_in_flow_pkey')) return false;
        throw error;
      }
    },

    async advance({ id, version }, { evidence, loginHint, challengeEndsAt, unseenCodes }, now) {
      const [row] = await database.query<Row>(advanceTo, [
        id,
        version,
        new Date(now),
        JSON.stringify(evidence),
        toDate(challengeEndsAt),
        unseenCodes,
        loginHint ?? null,
      ]);
      return row && fromRow(row);
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

    async finish({ id, version }, now) {
      return (await database.query(finishAt, [id, version, new Date(now)])).length === 1;
    },

    purge: (now, limit) =>
      database
        .sql('sign_in_flow')
        .whereIn('id', database.sql('sign_in_flow').where('expires_at', '<=', new Date(now)).select('id').limit(limit))
        .delete(),
  };
}
