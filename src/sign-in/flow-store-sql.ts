import type { Knex } from 'knex';
import { lockAccount } from '../accounts/lock-account-sql.ts';
import { sha256 } from '../shared/crypto.ts';
import { asAccountId, asClientId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
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
  offer_passkey: boolean;
  mail_account: string | null;
  mailed_at: Date | null;
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
  offerPasskey: row.offer_passkey,
  createdAt: row.created_at.getTime(),
  expiresAt: row.expires_at.getTime(),
  version: row.version,
  ...(row.login_hint !== null && { loginHint: row.login_hint }),
  ...(row.evidence && { evidence: row.evidence }),
  ...(row.challenge_ends_at && { challengeEndsAt: row.challenge_ends_at.getTime() }),
  ...(row.mail_account !== null && { mailAccount: asAccountId(row.mail_account) }),
  ...(row.mailed_at && { mailedAt: row.mailed_at.getTime() }),
  ...(row.finished_at && { finishedAt: row.finished_at.getTime() }),
});

const findById = statement('select * from sign_in_flow where id = $1');

const insert = (condition: string): string => `insert into sign_in_flow
  (id, client_id, requirement, login_hint, evidence, challenge_ends_at, unseen_codes, created_at, expires_at, finished_at,
   version, offer_passkey)
  select $1::text, $2::text, $3::jsonb, $4::text, $5::jsonb, $6::timestamptz, $7::boolean, $8::timestamptz, $9::timestamptz,
    $10::timestamptz, $11::integer, $12::boolean
  where ${condition} on conflict (id) do nothing returning *`;
const lastEnd =
  "coalesce((select revoked_at from revocation where kind = 'account' and id_hash = $13), to_timestamp(0))";
const add = statement(insert(`${lastEnd} = $14::timestamptz`));
const addUnlessThere = statement(insert('true'));

const advanceTo = statement(`update sign_in_flow
  set evidence = $4, wrong_codes = 0, challenge_ends_at = $5, unseen_codes = $6, login_hint = coalesce($7, login_hint),
    offer_passkey = coalesce($8, offer_passkey), version = version + 1
  where id = $1 and version = $2 and finished_at is null and expires_at > $3
  returning *`);

const finishAt = statement(`update sign_in_flow set finished_at = $3, version = version + 1
  where id = $1 and version = $2 and finished_at is null and expires_at > $3
  returning id`);

const forget = statement(`update sign_in_flow
  set evidence = null, wrong_codes = 0, challenge_ends_at = null, unseen_codes = false, offer_passkey = false,
    version = version + 1
  where evidence ->> 'accountId' = $1 and id <> $2 and finished_at is null`);

const mailAt = statement(`update sign_in_flow set mailed_at = $2, mail_account = coalesce($4, mail_account)
  where id = $1 and finished_at is null and expires_at > $2
    and ($3::timestamptz is null or mailed_at is null or mailed_at < $3)
  returning id`);

const fresh = {
  evidence: null,
  login_hint: null,
  wrong_codes: 0,
  challenge_ends_at: null,
  unseen_codes: false,
  offer_passkey: false,
  mail_account: null,
  mailed_at: null,
};

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
  flow.offerPasskey,
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
    ahead: (work) => database.ahead(work),
    find,

    async open(flow) {
      const [row] = await database.query<Row>(addUnlessThere, valuesOf({ ...flow, version: unstored + 1 }));
      const stored = row ? fromRow(row) : await find(flow.id);
      if (!stored) throw new Error('A sign-in disappeared while it was opened.');
      return stored;
    },

    async add(flow) {
      const { accountId = '', asOf = 0 } = flow.evidence ?? {};
      const rows = await database.query(add, [...valuesOf(flow), sha256(accountId), new Date(asOf)]);
      return rows.length === 1;
    },

    async advance({ id, version }, { evidence, loginHint, challengeEndsAt, unseenCodes, offerPasskey }, now) {
      const [row] = await database.query<Row>(advanceTo, [
        id,
        version,
        new Date(now),
        JSON.stringify(evidence),
        toDate(challengeEndsAt),
        unseenCodes,
        loginHint ?? null,
        offerPasskey ?? null,
      ]);
      return row && fromRow(row);
    },

    async hold(version, accountId, now) {
      await lockAccount(database, accountId);
      return (await at(version, now).first('id')) !== undefined;
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

    async noteMail(id, { now, since, to }) {
      const values = [id, new Date(now), toDate(since), to ?? null];
      return (await database.query(mailAt, values)).length === 1;
    },

    async restart(id, now) {
      const rows = (await open(id, now)
        .update({ ...fresh, version: nextVersion() })
        .returning('*')) as Row[];
      return rows[0] && fromRow(rows[0]);
    },

    async forgetEvidence(accountId, keptFlow = '') {
      await database.query(forget, [accountId, keptFlow]);
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
