import { access, constants, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { readConfig } from '../config/load.ts';
import { AppError, reasonOf } from '../shared/errors.ts';
import {
  type FileFormat,
  formatOf,
  type ImportedAccount,
  type ImportRun,
  type ImportSettings,
  type RowProblem,
} from '../user-import/index.ts';
import { importSteps } from './commands/users-import-steps.ts';
import { dryRun } from './import-dry-run.ts';
import { digestOf, partsOf } from './import-file.ts';
import { type ImportOptions, type ImportReport, renderReport } from './import-report.ts';
import { openTarget, type StepTarget } from './import-target.ts';
import type { Outcome, Surroundings } from './local-command.ts';
import { UsageError } from './parse-arguments.ts';

/** The options of `users import`. */
interface ImportInput {
  readonly file: string;
  readonly format?: FileFormat | undefined;
  readonly dryRun: boolean;
  readonly resume: boolean;
  readonly map: readonly string[];
  readonly set: readonly string[];
  readonly mustChange: boolean;
  readonly allowAdmin: boolean;
  readonly accountsTo?: string | undefined;
}

const recordOf = (given: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    given.map((pair) => {
      const end = pair.indexOf('=');
      return [pair.slice(0, end), pair.slice(end + 1)];
    }),
  );

/** Everything after row `after`, page by page. */
async function* pagesOf<Row extends { readonly seq: number }>(target: StepTarget, step: string, id: string) {
  for (let after = 0; ; ) {
    const page = (await target.call(step, { id, after })) as Row[];
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.seq;
  }
}

interface Beginning {
  readonly file: { readonly name: string; readonly digest: string };
  readonly settings: ImportSettings;
  readonly resume: boolean;
}

async function runImport(
  target: StepTarget,
  { path, format, name, onProgress }: ImportOptions,
  beginning: Beginning,
): Promise<ImportReport> {
  const run = (await target.call('users import begin', beginning)) as ImportRun;
  const { id } = run;
  let rows = run.rowsDone;
  try {
    for await (const part of run.finishedAt === undefined ? partsOf(path, format, rows) : []) {
      await target.call('users import add', { id, rows: part });
      rows += part.length;
      onProgress(rows);
    }
  } catch (error) {
    if (error instanceof AppError && error.code !== 'unavailable') throw error;
    if (error instanceof UsageError) throw new UsageError(`${error.message} The ${rows} rows before are imported.`);
    throw new AppError('unavailable', `${reasonOf(error)} Go on with --resume.`, {}, error);
  }
  const { rowsDone, created } = (await target.call('users import finish', { id })) as ImportRun;
  const problems: RowProblem[] = [];
  for await (const problem of pagesOf<RowProblem>(target, 'users import problems', id)) problems.push(problem);
  return { id, file: name, dryRun: false, rows: rowsDone, created, problems };
}

/** Writes which account became of which row of the old system. The ids are plain, so CSV needs no quotes. */
async function writeAccounts(target: StepTarget, id: string, path: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.write('source_id,sub\n');
    for await (const { sourceId, accountId } of pagesOf<ImportedAccount>(target, 'users import created', id)) {
      await file.write(`"${(sourceId ?? '').replaceAll('"', '""')}",${accountId}\n`);
    }
  } finally {
    await file.close();
  }
}

/** Before anybody is imported: later, the ids would be lost. @throws UsageError */
async function refuseUnwritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return access(dirname(path), constants.W_OK);
    });
  } catch (error) {
    throw new UsageError(`--accounts-to: ${path} cannot be written.`, { cause: error });
  }
}

const every = 500;

/** Imports the users of a file that this process reads, through the running server where there is one. @throws AppError, UsageError */
export async function importUsersHere(input: ImportInput, { env, onProgress }: Surroundings): Promise<Outcome> {
  const { file: path, dryRun: dry, resume, map, set, mustChange, allowAdmin, accountsTo } = input;
  const format = input.format ?? formatOf(path);
  if (!format) throw new UsageError(`Say how ${path} is written, with --format.`);
  if (dry && (resume || accountsTo !== undefined)) {
    throw new UsageError('A dry run makes no accounts, so --resume and --accounts-to do not go with it.');
  }
  if (accountsTo !== undefined) await refuseUnwritable(accountsTo);
  const settings = { map: recordOf(map), set: recordOf(set), mustChange, allowAdmin };
  let told = 0;
  const options: ImportOptions = {
    path,
    format,
    name: basename(path),
    onProgress(rows) {
      const full = rows - (rows % every);
      if (full <= told) return;
      told = full;
      onProgress(`${full} rows`);
    },
  };
  const beginning: Beginning = { file: { name: options.name, digest: await digestOf(path) }, settings, resume };
  const target = await openTarget(readConfig(env), importSteps, {
    onProgress,
    without: dry ? 'look' : 'make',
    first: { step: 'users import begin', input: beginning },
  });
  try {
    const report = dry ? await dryRun(target, options, settings) : await runImport(target, options, beginning);
    if (accountsTo !== undefined && report.id !== undefined) await writeAccounts(target, report.id, accountsTo);
    return { result: report, text: renderReport(report), exitCode: report.problems.length > 0 ? 1 : 0 };
  } finally {
    await target[Symbol.asyncDispose]();
  }
}
