import type { ImportSettings, RowCheck, RowProblem } from '../user-import/index.ts';
import { partsOf } from './import-file.ts';
import type { ImportOptions, ImportReport } from './import-report.ts';
import type { StepTarget } from './import-target.ts';

/** What was found about rows, and the names that rows before have. */
class Findings {
  readonly problems: RowProblem[] = [];
  readonly passwords: Record<string, number> = {};
  readonly unused = new Set<string>();
  rows = 0;
  readonly #names = new Map<string, number>();

  add({ seq, line, fields, names, password, unused }: RowCheck): void {
    this.rows += 1;
    for (const name of unused) if (this.unused.size < 100) this.unused.add(name);
    const found: Record<string, string> = { ...fields };
    for (const [field, name] of Object.entries(names)) {
      const before = this.#names.get(name);
      if (before !== undefined) found[field] ??= `Line ${before} has the same ${field}.`;
    }
    if (Object.keys(found).length > 0) {
      this.problems.push({ seq, line, fields: found });
      return;
    }
    for (const name of Object.values(names)) this.#names.set(name, line);
    const kind = password ?? 'none';
    this.passwords[kind] = (this.passwords[kind] ?? 0) + 1;
  }
}

/**
 * Looks at every row as the import would, and writes nothing. What it keeps of a good row is a few bytes for each of
 * its names, to find the ones that come twice.
 */
export async function dryRun(
  target: StepTarget,
  { path, format, name, onProgress }: ImportOptions,
  settings: ImportSettings,
): Promise<ImportReport> {
  const findings = new Findings();
  for await (const rows of partsOf(path, format, 0)) {
    for (const row of (await target.call('users import check', { settings, rows })) as RowCheck[]) findings.add(row);
    onProgress(findings.rows);
  }
  const { rows, problems, passwords, unused } = findings;
  return {
    file: name,
    dryRun: true,
    rows,
    created: rows - problems.length,
    problems,
    passwords,
    unused: [...unused].sort(),
  };
}
