import type { FileFormat, RowProblem } from '../user-import/index.ts';

export interface ImportOptions {
  readonly path: string;
  readonly format: FileFormat;
  /** The file's name without its directories. */
  readonly name: string;
  /** Told how many rows are done. */
  readonly onProgress: (rows: number) => void;
}

/** What an import did, or would do. */
export interface ImportReport {
  readonly id?: string;
  readonly file: string;
  readonly dryRun: boolean;
  readonly rows: number;
  readonly created: number;
  readonly problems: readonly RowProblem[];
  /** How many accounts have which kind of hash; a dry run counts them. */
  readonly passwords?: Readonly<Record<string, number>>;
  /** Columns that no field took; a dry run names them. */
  readonly unused?: readonly string[];
}

const shown = 50;

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');

const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

/** The report for people. */
export function renderReport({ file, dryRun, rows, created, problems, passwords, unused = [] }: ImportReport): string {
  const would = dryRun ? 'would be made' : created === 1 ? 'was made' : 'were made';
  const leftOut = problems.length === 1 ? 'row was left out' : 'rows were left out';
  const lines = problems.slice(0, shown).map(({ line, fields }) => {
    const texts = Object.entries(fields).map(([field, text]) => (field === 'row' ? text : `${field}: ${text}`));
    return `  line ${line}  ${texts.join(' ')}`;
  });
  return [
    `${file}: ${counted(rows, 'row')}, ${counted(created, 'account')} ${would}, ${problems.length} ${leftOut}.`,
    ...(passwords && created > 0 ? [`Password hashes: ${list(passwords)}.`] : []),
    ...(unused.length > 0 ? [`Columns that are not used: ${unused.join(', ')}.`] : []),
    ...lines,
    ...(problems.length > shown ? [`  and ${problems.length - shown} more; --json lists all of them.`] : []),
    ...(dryRun ? ['Nothing was written.'] : []),
  ].join('\n');
}
