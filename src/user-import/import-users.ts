import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import { randomText } from '../shared/ids.ts';
import { addRows } from './add-rows.ts';
import { checkRows, type RowCheck } from './check-rows.ts';
import type { UserImportParts } from './parts.ts';
import { userFields } from './user-fields.ts';
import type { FileRow, ImportedAccount, ImportRun, ImportSettings, RowOutcomes, RowProblem } from './user-import.ts';

/** Users of another system become accounts here, with the password hashes they had. Nobody gets a mail. */
export interface UserImport {
  /**
   * Starts a run for a file, or goes on with the one that was not finished.
   * @throws AppError `invalid_input` for settings, `conflict` when it was begun before and `resume` is not set, or with
   * other settings
   */
  begin(
    file: ImportFile,
    settings: ImportSettings,
    options?: { readonly resume?: boolean | undefined },
  ): Promise<ImportRun>;
  /** See {@link addRows}. */
  addRows(id: string, rows: readonly FileRow[], by: Actor): Promise<RowOutcomes>;
  /** See {@link checkRows}. @throws AppError `invalid_input` for settings. */
  checkRows(settings: ImportSettings, rows: readonly FileRow[]): Promise<RowCheck[]>;
  /** Ends a run; a second time changes nothing. @throws AppError `not_found`. */
  finish(id: string, by: Actor): Promise<ImportRun>;
  /** What was wrong with rows after `after`, 1000 at most. */
  problems(id: string, after: number): Promise<RowProblem[]>;
  /** Which accounts rows after `after` made, 1000 at most; purged ones are left out. */
  created(id: string, after: number): Promise<ImportedAccount[]>;
}

/** A file is known by its content. */
export interface ImportFile {
  readonly name: string;
  /** SHA-256 of all of it. */
  readonly digest: string;
}

const page = 1000;

/** @throws AppError `invalid_input` when a mapping is about a field that there is not. */
function checkSettings({ map, set }: ImportSettings): void {
  for (const [option, fields] of Object.entries({ map, set })) {
    const unknown = Object.keys(fields).find((field) => !userFields.has(field));
    if (unknown === undefined) continue;
    const text = `There is no field ${unknown}. There are ${[...userFields.keys()].join(', ')}.`;
    throw new AppError('invalid_input', text, { fields: { [option]: text } });
  }
}

const canonical = ({ map, set, mustChange, allowAdmin }: ImportSettings): string =>
  JSON.stringify([Object.entries(map).sort(), Object.entries(set).sort(), mustChange, allowAdmin]);

async function begin(
  { store, clock }: UserImportParts,
  { name, digest }: ImportFile,
  settings: ImportSettings,
  resume: boolean,
): Promise<ImportRun> {
  checkSettings(settings);
  const last = await store.findByFile(digest);
  if (last && resume) {
    if (canonical(last.settings) === canonical(settings)) return last;
    throw new AppError('conflict', 'This file was begun with other options. Resume it with the same ones.');
  }
  const run: ImportRun = {
    id: `imp_${randomText(16)}`,
    fileName: name,
    fileDigest: digest,
    settings,
    rowsDone: 0,
    created: 0,
    problems: 0,
    startedAt: clock.now(),
  };
  if ((last && last.finishedAt === undefined) || !(await store.insert(run))) {
    const done = last?.rowsDone ?? 0;
    throw new AppError('conflict', `This file was begun before, and ${done} rows are done. Go on with --resume.`);
  }
  return run;
}

async function finish({ store, clock, audit }: UserImportParts, id: string, by: Actor): Promise<ImportRun> {
  return store.transaction(async () => {
    const first = await store.finish(id, clock.now());
    const run = await store.find(id);
    if (!run) throw new AppError('not_found', 'There is no such import.');
    if (first) {
      await audit.record({
        type: 'user_import.finished',
        actor: by,
        outcome: 'success',
        subject: id,
        details: { file: run.fileName, rows: run.rowsDone, created: run.created, problems: run.problems },
      });
    }
    return run;
  });
}

/** Makes the domain that imports users. */
export const createUserImport = (parts: UserImportParts): UserImport => ({
  begin: (file, settings, { resume = false } = {}) => begin(parts, file, settings, resume),
  addRows: (id, rows, by) => addRows(parts, id, rows, by),
  checkRows: async (settings, rows) => {
    checkSettings(settings);
    return checkRows(parts, settings, rows);
  },
  finish: (id, by) => finish(parts, id, by),
  problems: (id, after) => parts.store.list(id, 'problems', after, page),
  created: (id, after) => parts.store.list(id, 'created', after, page),
});
