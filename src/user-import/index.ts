// User import: users of another system become accounts, with the password hashes and authenticators they had there.
// Owns tables `user_import` and `user_import_row`: how far a run is, and what became of each row. It reads files and
// knows their formats; where they come from is the caller's. It sends no mail. Needs: accounts, credentials, audit.
export type { RowCheck } from './check-rows.ts';
export { createUserImport, type ImportFile, type UserImport } from './import-users.ts';
export type { UserImportParts } from './parts.ts';
export { readUserFile } from './read-file.ts';
export { BrokenFile, formatOf } from './split-text.ts';
export {
  type FileFormat,
  type FileRow,
  fileFormats,
  type ImportedAccount,
  type ImportRun,
  type ImportSettings,
  type RowOutcomes,
  type RowProblem,
} from './user-import.ts';
export type { UserImportStore } from './user-import-store.ts';
