import type { ImportedAccount, ImportRun, RowOutcomes, RowProblem } from './user-import.ts';

/** Where runs of the import and what became of their rows are kept. */
export interface UserImportStore {
  /** Runs writes that belong together, joining the transaction that is already open. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  find(id: string): Promise<ImportRun | undefined>;
  /** The run of this file that was not finished; else the last one that was. */
  findByFile(digest: string): Promise<ImportRun | undefined>;
  /** False when this file has a run already that was not finished. */
  insert(run: ImportRun): Promise<boolean>;
  /** Takes the rows after `from` up to `to`; false when somebody else took some of them or the run is finished. */
  advance(id: string, from: number, to: number): Promise<boolean>;
  /** Notes what became of rows, in the transaction that took them. */
  addOutcomes(id: string, outcomes: RowOutcomes): Promise<void>;
  /** False when it was finished before. */
  finish(id: string, at: number): Promise<boolean>;
  /** In the order of the file, after row `after`. */
  list(id: string, kind: 'problems', after: number, limit: number): Promise<RowProblem[]>;
  list(id: string, kind: 'created', after: number, limit: number): Promise<ImportedAccount[]>;
}
