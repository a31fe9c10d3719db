import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { loadConfig } from '../../config/load.ts';
import { AppError, reasonOf } from '../../shared/errors.ts';
import {
  fileFormats,
  formatOf,
  type ImportedAccount,
  type ImportRun,
  type ImportSettings,
  type RowProblem,
} from '../../user-import/index.ts';
import { dryRun } from '../import-dry-run.ts';
import { digestOf, partsOf } from '../import-file.ts';
import { type ImportOptions, type ImportReport, renderReport } from '../import-report.ts';
import { openTarget, type StepTarget } from '../import-target.ts';
import { defineLocalCommand } from '../local-command.ts';
import { UsageError } from '../parse-arguments.ts';
import { importSteps } from './users-import-steps.ts';

const pairs = (what: string) =>
  z
    .array(z.string().regex(/^\w+=./s, `Give field=${what}.`))
    .default([])
    .transform((given) =>
      Object.fromEntries(given.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
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

async function runImport(
  target: StepTarget,
  { path, format, name, onProgress }: ImportOptions,
  settings: ImportSettings,
  resume: boolean,
): Promise<ImportReport> {
  const file = { name, digest: await digestOf(path) };
  const run = (await target.call('users import begin', { file, settings, resume })) as ImportRun;
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

const every = 5_000;

/** Imports users from a file that this process reads, through the running server where there is one. */
export const importUsers = defineLocalCommand({
  name: 'users import',
  summary: 'Make accounts of the users in a file, with the password hashes that they have. Nobody gets a mail.',
  schema: z.object({
    file: z.string().min(1).describe('File to read.'),
    format: z.enum(fileFormats).optional().describe('json, jsonl or csv. Default: as the name of the file ends.'),
    dryRun: z.boolean().default(false).describe('Say what would be done, and write nothing.'),
    resume: z
      .boolean()
      .default(false)
      .describe('Go on after the last row that is done, with the same file and options.'),
    map: pairs('column').describe('Which column holds a field: field=column.'),
    set: pairs('value').describe('What a field is in every row that does not say: field=value.'),
    mustChange: z.boolean().default(false).describe('Have everybody choose another password at the first sign-in.'),
    allowAdmin: z.boolean().default(false).describe('Let rows give the role admin.'),
    accountsTo: z.string().min(1).optional().describe('File for the new ids beside those of the old system, as CSV.'),
  }),
  positional: 'file',
  example: 'sallyport users import users.csv --map source_id=user_id --map password_hash=pwd --dry-run',
  async run(input, { env, onProgress }) {
    const { file: path, dryRun: dry, resume, map, set, mustChange, allowAdmin, accountsTo } = input;
    const format = input.format ?? formatOf(path);
    if (!format) throw new UsageError(`Say how ${path} is written, with --format.`);
    if (dry && (resume || accountsTo !== undefined)) {
      throw new UsageError('A dry run makes no accounts, so --resume and --accounts-to do not go with it.');
    }
    const settings = { map, set, mustChange, allowAdmin };
    let told = 0;
    const options: ImportOptions = {
      path,
      format,
      name: basename(path),
      onProgress(rows) {
        if (rows - told < every) return;
        told = rows;
        onProgress(`${rows} rows`);
      },
    };
    const target = await openTarget(loadConfig(env), importSteps, onProgress);
    try {
      const report = dry ? await dryRun(target, options, settings) : await runImport(target, options, settings, resume);
      if (accountsTo !== undefined && report.id !== undefined) await writeAccounts(target, report.id, accountsTo);
      return { result: report, text: renderReport(report), exitCode: report.problems.length > 0 ? 1 : 0 };
    } finally {
      await target[Symbol.asyncDispose]();
    }
  },
});
