import { sha256 } from '../shared/crypto.ts';
import type { UserImportParts } from './parts.ts';
import { readUser, type UserToImport } from './read-user.ts';
import type { FileRow, ImportSettings } from './user-import.ts';

/** What would become of a row. */
export interface RowCheck {
  readonly seq: number;
  readonly line: number;
  /** Empty when it would make an account. */
  readonly fields: Readonly<Record<string, string>>;
  /** Stand for the names of the row, by field: two rows with the same one cannot both become accounts. */
  readonly names: Readonly<Record<string, string>>;
  /** The kind of its password hash. */
  readonly password?: string | undefined;
  readonly unused: readonly string[];
}

const taken = (field: string): string => `Another account has this ${field}.`;

async function takenNames(
  { accounts }: UserImportParts,
  { account, keys }: UserToImport,
): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  if (await accounts.findByLogin(account.email)) fields.email = taken('email');
  if (keys.username !== undefined && (await accounts.findByLogin(keys.username))) fields.username = taken('username');
  return fields;
}

async function checkRow(parts: UserImportParts, settings: ImportSettings, row: FileRow): Promise<RowCheck> {
  const { seq, line } = row;
  if ('problem' in row) return { seq, line, fields: { row: row.problem }, names: {}, unused: [] };
  const reading = readUser(row.record, settings);
  const { unused } = reading;
  if (!('user' in reading)) return { seq, line, fields: reading.fields, names: {}, unused };
  const { user } = reading;
  const names: Record<string, string> = { email: sha256(`email ${user.keys.email}`).slice(0, 16) };
  if (user.keys.username !== undefined) names.username = sha256(`username ${user.keys.username}`).slice(0, 16);
  return { seq, line, fields: await takenNames(parts, user), names, password: user.password?.kind, unused };
}

/** Says what would become of rows, and writes nothing. */
export async function checkRows(
  parts: UserImportParts,
  settings: ImportSettings,
  rows: readonly FileRow[],
): Promise<RowCheck[]> {
  const checks: RowCheck[] = [];
  for (const row of rows) checks.push(await checkRow(parts, settings, row));
  return checks;
}
