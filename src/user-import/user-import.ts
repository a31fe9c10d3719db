import type { AccountId } from '../shared/ids.ts';

/** The formats in which files of users are read. */
export const fileFormats = ['json', 'jsonl', 'csv'] as const;
export type FileFormat = (typeof fileFormats)[number];

/** A row of the file as it was read, or why it could not be. Rows count from 1, lines too; a header is line 1. */
export type FileRow = { readonly seq: number; readonly line: number } & (
  | { readonly record: Readonly<Record<string, unknown>> }
  | { readonly problem: string }
);

/** How rows become accounts. They belong to the run: who resumes it has to give the same. */
export interface ImportSettings {
  /** Which column holds a field, where it has another name. */
  readonly map: Readonly<Record<string, string>>;
  /** What a field has in every row that says nothing about it. */
  readonly set: Readonly<Record<string, string>>;
  /** Everybody chooses another password after the first sign-in. */
  readonly mustChange: boolean;
  /** Whether a row may make an administrator. */
  readonly allowAdmin: boolean;
}

/** Why a row made no account. Texts are for people and never repeat what is in the row. */
export interface RowProblem {
  readonly seq: number;
  readonly line: number;
  /** Sentences by field; `row` is about the whole row. */
  readonly fields: Readonly<Record<string, string>>;
}

/** An account that a row made. */
export interface ImportedAccount {
  readonly seq: number;
  readonly line: number;
  readonly accountId: AccountId;
  /** What the old system called it. */
  readonly sourceId?: string | undefined;
}

/** A run of the import. */
export interface ImportRun {
  /** `imp_` and random text. */
  readonly id: string;
  readonly fileName: string;
  /** SHA-256 of the whole file. */
  readonly fileDigest: string;
  readonly settings: ImportSettings;
  /** Rows that are done, whatever became of them; the next one is this plus 1. */
  readonly rowsDone: number;
  readonly created: number;
  readonly problems: number;
  readonly startedAt: number;
  readonly finishedAt?: number | undefined;
}

/** What became of the rows of a part. */
export interface RowOutcomes {
  readonly problems: readonly RowProblem[];
  readonly created: readonly ImportedAccount[];
}
