import { asAccountId } from '../shared/ids.ts';
import type { Database } from '../storage/database.ts';
import type { ImportedAccount, ImportRun, ImportSettings, RowProblem } from './user-import.ts';
import type { UserImportStore } from './user-import-store.ts';

interface Row {
  readonly id: string;
  readonly file_name: string;
  readonly file_digest: string;
  readonly settings: string;
  readonly rows_done: number;
  readonly created: number;
  readonly problems: number;
  readonly started_at: Date;
  readonly finished_at: Date | null;
}

interface OutcomeRow {
  readonly seq: number;
  readonly line: number;
  readonly source_id: string | null;
  readonly account_id: string | null;
  readonly problem: string | null;
}

const fromRow = (row: Row): ImportRun => ({
  id: row.id,
  fileName: row.file_name,
  fileDigest: row.file_digest,
  settings: JSON.parse(row.settings) as ImportSettings,
  rowsDone: row.rows_done,
  created: row.created,
  problems: row.problems,
  startedAt: row.started_at.getTime(),
  ...(row.finished_at && { finishedAt: row.finished_at.getTime() }),
});

const toProblem = ({ seq, line, problem }: OutcomeRow): RowProblem => ({
  seq,
  line,
  fields: JSON.parse(problem ?? '{}') as RowProblem['fields'],
});

const toAccount = ({ seq, line, account_id, source_id }: OutcomeRow): ImportedAccount => ({
  seq,
  line,
  accountId: asAccountId(account_id ?? ''),
  ...(source_id !== null && { sourceId: source_id }),
});

/** Runs in table `user_import`, their rows in `user_import_row`. */
export function createSqlUserImportStore(database: Database): UserImportStore {
  async function list(id: string, kind: 'problems' | 'created', after: number, limit: number) {
    const rows = (await database
      .sql('user_import_row')
      .where({ import_id: id })
      .where('seq', '>', after)
      .whereNotNull(kind === 'problems' ? 'problem' : 'account_id')
      .orderBy('seq')
      .limit(limit)) as OutcomeRow[];
    return rows.map<RowProblem | ImportedAccount>(kind === 'problems' ? toProblem : toAccount);
  }

  return {
    transaction: (work) => database.transaction(work),

    async find(id) {
      const row = (await database.sql('user_import').where({ id }).first()) as Row | undefined;
      return row && fromRow(row);
    },

    async findByFile(digest) {
      const row = (await database
        .sql('user_import')
        .where({ file_digest: digest })
        .orderByRaw('finished_at desc nulls first')
        .first()) as Row | undefined;
      return row && fromRow(row);
    },

    async insert(run) {
      const added = await database
        .sql('user_import')
        .insert({
          id: run.id,
          file_name: run.fileName,
          file_digest: run.fileDigest,
          settings: JSON.stringify(run.settings),
          started_at: new Date(run.startedAt),
        })
        .onConflict()
        .ignore()
        .returning('id');
      return added.length === 1;
    },

    async advance(id, from, to) {
      const query = database.sql('user_import').where({ id, rows_done: from }).whereNull('finished_at');
      return (await query.update({ rows_done: to })) === 1;
    },

    async addOutcomes(id, { problems, created }) {
      const rows = [
        ...problems.map(({ seq, line, fields }) => ({ seq, line, problem: JSON.stringify(fields) })),
        ...created.map(({ seq, line, accountId, sourceId }) => ({
          seq,
          line,
          account_id: accountId,
          source_id: sourceId ?? null,
        })),
      ];
      if (rows.length === 0) return;
      await database.sql('user_import_row').insert(rows.map((row) => ({ import_id: id, ...row })));
      await database
        .sql('user_import')
        .where({ id })
        .update({
          created: database.sql.raw('created + ?', [created.length]),
          problems: database.sql.raw('problems + ?', [problems.length]),
        });
    },

    async finish(id, at) {
      const query = database.sql('user_import').where({ id }).whereNull('finished_at');
      return (await query.update({ finished_at: new Date(at) })) === 1;
    },

    list: list as UserImportStore['list'],
  };
}
