// Account data: what a person may have of what is stored about them, and how it is deleted, restored and purged.
// Owns no table. Tables with a foreign key to `account` go with its row; the others are named as `PersonalTraces`, and for
// both test/account-data looks at every table there is. Needs: accounts, one-time-secrets, notifications, audit, and a
// function of each domain that has a part in the export.
export { type AccountData, createAccountData } from './account-data.ts';
export type { AccountExport, ExportSource, ExportSources } from './export-account.ts';
export type { PersonalTraces } from './personal-traces.ts';
