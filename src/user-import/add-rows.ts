import type { Actor } from '../audit/index.ts';
import { AppError } from '../shared/errors.ts';
import type { UserImportParts } from './parts.ts';
import { readUser, type UserToImport } from './read-user.ts';
import type { FileRow, ImportedAccount, ImportRun, RowOutcomes, RowProblem } from './user-import.ts';

type Outcome = { readonly account: ImportedAccount } | { readonly problem: RowProblem };

/** Makes the account with everything that is known of it; a name that is taken comes back as what is wrong. */
async function importUser(
  { createAccount, suspend, credentials }: UserImportParts,
  run: ImportRun,
  user: UserToImport,
  by: Actor,
): Promise<ImportedAccount['accountId'] | { readonly taken: Readonly<Record<string, string>> }> {
  const { account, password, totpSecret, mustChange, suspended } = user;
  try {
    const details = {
      source: 'import',
      import: run.id,
      ...(password && { password: password.kind }),
      ...(totpSecret !== undefined && { totp: true }),
    };
    const { id, createdAt } = await createAccount(account, by, details);
    if (password) {
      await credentials.setPasswordHash(id, password.stored, {
        mustChange,
        changedAt: password.changedAt ?? createdAt,
      });
    }
    if (totpSecret !== undefined) await credentials.setTotp(id, totpSecret);
    if (suspended) await suspend(id, by);
    return id;
  } catch (error) {
    // The first statement of the row found it, so nothing of the row was written.
    if (error instanceof AppError && error.code === 'conflict') return { taken: error.details.fields ?? {} };
    throw error;
  }
}

async function importRow(parts: UserImportParts, run: ImportRun, row: FileRow, by: Actor): Promise<Outcome> {
  const { seq, line } = row;
  if ('problem' in row) return { problem: { seq, line, fields: { row: row.problem } } };
  const reading = readUser(row.record, run.settings);
  if (!('user' in reading)) return { problem: { seq, line, fields: reading.fields } };
  const made = await importUser(parts, run, reading.user, by);
  if (typeof made === 'object') return { problem: { seq, line, fields: made.taken } };
  const { sourceId } = reading.user;
  return { account: { seq, line, accountId: made, ...(sourceId !== undefined && { sourceId }) } };
}

/**
 * Imports the next rows of a run, all in one transaction with the mark how far it is. So a process that dies in between
 * has done all of them or none. @throws AppError `not_found`, or `conflict` when somebody else imports this file.
 */
export async function addRows(
  parts: UserImportParts,
  id: string,
  rows: readonly FileRow[],
  by: Actor,
): Promise<RowOutcomes> {
  const { store } = parts;
  const run = await store.find(id);
  const [first, last] = [rows[0], rows.at(-1)];
  if (!run) throw new AppError('not_found', 'There is no such import.');
  if (!first || !last) return { problems: [], created: [] };
  if (rows.some(({ seq }, index) => seq !== first.seq + index)) {
    throw new AppError('invalid_input', 'The rows are not in order.');
  }
  return store.transaction(async () => {
    if (!(await store.advance(id, first.seq - 1, last.seq))) {
      throw new AppError('conflict', 'Another process imports this file, or has finished it.');
    }
    const problems: RowProblem[] = [];
    const created: ImportedAccount[] = [];
    for (const row of rows) {
      const outcome = await importRow(parts, run, row, by);
      if ('problem' in outcome) problems.push(outcome.problem);
      else created.push(outcome.account);
    }
    await store.addOutcomes(id, { problems, created });
    return { problems, created };
  });
}
