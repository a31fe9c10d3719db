// Accounts: who exists, by which names, and what is known about them. Owns table `account`.
// It holds no password, second factor, session or consent. Needs: audit. An account's row goes last: tables that hold
// something about one refer to it and delete with it.
export type { Account, AccountPatch, AccountStatus, Address, NewAccount, Profile } from './account.ts';
export { type AccountLife, createAccountLife, type EventMeta } from './account-life.ts';
export type { AccountLifeStore } from './account-life-store.ts';
export { type Move, moves, type Party, partyOf, startsOf } from './account-status.ts';
export type { AccountStore, StoredAccount, TakenField } from './account-store.ts';
export { type Accounts, createAccounts } from './accounts.ts';
export { toClaims } from './claims.ts';
export { type EmailAddress, parseEmail } from './email-address.ts';
export { personalWords } from './personal-words.ts';
export { readNewAccount } from './read-account-input.ts';
export { type RememberedAccounts, rememberAccounts } from './remember-accounts.ts';
