// Accounts: who exists, by which names, and what is known about them. Owns table `account`.
// It holds no password, second factor, session or consent. Needs: audit.
export type { Account, AccountPatch, AccountStatus, Address, NewAccount, Profile } from './account.ts';
export type { AccountStore, StoredAccount, TakenField } from './account-store.ts';
export { type Accounts, createAccounts } from './accounts.ts';
export { toClaims } from './claims.ts';
export { type EmailAddress, parseEmail } from './email-address.ts';
export { rememberAccounts } from './remember-accounts.ts';
